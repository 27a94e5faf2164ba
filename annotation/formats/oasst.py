"""Open-Assistant's message trees: one tree a line, replies ranked by people at every level.

Each prompter message with ranked replies gives a prompt with its ranking; the best-ranked path from the
root gives a demonstration.
"""

from collections.abc import Iterator
from math import inf
from typing import Any

from django.utils.translation import gettext as _

from annotation.errors import MalformedRow, TextTooLong, TurnsMustAlternate
from annotation.formats.items import (
    ImportedDemonstration,
    ImportedPrompt,
    ImportedRanking,
    Items,
    Rows,
    read_rows,
)
from annotation.messages import MAX_TURNS

Node = dict[str, Any]
Path = list[dict[str, str]]

_ROLES = {"prompter": "user", "assistant": "assistant"}
MOST_REPLIES = 9


def read(rows: Rows) -> Items:
    return read_rows(rows, _tree)


def _tree(line: int, tree: Node) -> Iterator[ImportedPrompt]:
    root = tree.get("prompt")
    if not isinstance(root, dict) or root.get("role") != "prompter":
        raise MalformedRow(_("A tree needs a prompt: a message of the prompter with its replies."))
    for node, path in _prompters(root, []):
        is_root = node is root
        ranked = _ranked_replies(node)
        if not ranked and not is_root:
            continue
        yield ImportedPrompt(
            line=line,
            messages=path,
            language=str(node.get("lang") or ""),
            source=f"oasst:{node.get('message_id') or ''}",
            completions=[_message(reply)["content"] for reply in ranked],
            rankings=[ImportedRanking(tiers=_tiers([reply["rank"] for reply in ranked]))] if ranked else [],
            demonstrations=_demonstrations(root) if is_root else [],
        )


def _prompters(node: Node, before: Path) -> Iterator[tuple[Node, Path]]:
    """Every prompter message from ``node`` on, with the conversation that ends in it."""
    message = _message(node)
    if before and before[-1]["role"] == message["role"]:
        raise TurnsMustAlternate(_("User and assistant must take turns."))
    if len(before) == MAX_TURNS:
        raise TextTooLong(_("The conversation has more than %(most)d messages.") % {"most": MAX_TURNS})
    path = [*before, message]
    if message["role"] == "user":
        yield node, path
    for reply in _replies(node):
        yield from _prompters(reply, path)


def _demonstrations(root: Node) -> list[ImportedDemonstration]:
    path = _best_path(root)
    return [ImportedDemonstration(turns=path)] if path else []


def _best_path(root: Node) -> Path:
    """The best-ranked reply each time, up to the assistant's last word."""
    path, node = [], root
    while replies := _replies(node):
        node = min(replies, key=_rank)
        path.append(_message(node))
    return path if len(path) % 2 else path[:-1]


def _ranked_replies(node: Node) -> list[Node]:
    """Best first; none when there are not two to compare."""
    ranked = sorted((reply for reply in _replies(node) if _rank(reply) < inf), key=_rank)
    return ranked[:MOST_REPLIES] if len(ranked) > 1 else []


def _replies(node: Node) -> list[Node]:
    """The replies that neither their author nor the reviewers took back."""
    replies = node.get("replies") or []
    if not isinstance(replies, list) or not all(isinstance(reply, dict) for reply in replies):
        raise MalformedRow(_("The replies of a message must be a list of messages."))
    return [reply for reply in replies if not (reply.get("deleted") or reply.get("review_result") is False)]


def _rank(node: Node) -> float:
    rank = node.get("rank")
    return rank if isinstance(rank, int) else inf


def _message(node: Node) -> dict[str, str]:
    role, text = node.get("role"), node.get("text")
    if not isinstance(role, str) or role not in _ROLES or not isinstance(text, str):
        raise MalformedRow(
            _("A message of the tree has no text, or a role other than prompter and assistant.")
        )
    return {"role": _ROLES[role], "content": text}


def _tiers(ranks: list[int]) -> list[list[int]]:
    """Positions grouped by equal rank, best first; ``ranks`` is sorted."""
    tiers: dict[int, list[int]] = {}
    for position, rank in enumerate(ranks):
        tiers.setdefault(rank, []).append(position)
    return list(tiers.values())
