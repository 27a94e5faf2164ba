"""Open-Assistant's message trees: one tree a line, replies ranked by people at every level.

Each prompter message with ranked replies gives a prompt with its ranking; the best-ranked path from the
root gives a demonstration.
"""

from collections.abc import Iterator
from typing import Any, TextIO

from django.utils.translation import gettext as _

from annotation.errors import BadInput, MalformedRow
from annotation.formats.items import ImportedPrompt, Items, Problem, json_lines

Node = dict[str, Any]
Path = list[dict[str, str]]

_ROLES = {"prompter": "user", "assistant": "assistant"}
MOST_REPLIES = 9


def read(file: TextIO) -> Items:
    for line, tree in json_lines(file):
        if isinstance(tree, Problem):
            yield tree
            continue
        try:
            yield from _tree(line, tree)
        except BadInput as refusal:
            yield Problem.of(line, refusal)


def _tree(line: int, tree: Node) -> Iterator[ImportedPrompt]:
    root = tree.get("prompt")
    if not isinstance(root, dict) or root.get("role") != "prompter":
        raise MalformedRow(_("A tree needs a prompt: a message of the prompter with its replies."))
    _root, *turns = _best_path(root)
    for node, path in _prompters(root, []):
        ranked = sorted(_ranked_replies(node), key=lambda reply: reply["rank"])[:MOST_REPLIES]
        is_root = node is root
        if len(ranked) < 2 and not is_root:
            continue
        yield ImportedPrompt(
            line=line,
            messages=path,
            language=str(node.get("lang") or ""),
            source=f"oasst:{node.get('message_id') or ''}",
            completions=[reply["text"] for reply in ranked] if len(ranked) > 1 else [],
            tiers=_tiers([reply["rank"] for reply in ranked]) if len(ranked) > 1 else [],
            turns=turns if is_root else [],
        )


def _prompters(node: Node, before: Path) -> Iterator[tuple[Node, Path]]:
    """Every prompter message below ``node``, with the conversation that ends in it."""
    path = [*before, _message(node)]
    if node["role"] == "prompter":
        yield node, path
    for reply in _replies(node):
        yield from _prompters(reply, path)


def _best_path(node: Node) -> Iterator[dict[str, str]]:
    """The conversation that follows the best-ranked reply each time, up to the assistant's last word."""
    path = [_message(node)]
    while True:
        answers = sorted(_replies(node), key=lambda reply: _rank(reply))
        if not answers:
            break
        node = answers[0]
        path.append(_message(node))
    yield from path if path[-1]["role"] == "assistant" else path[:-1]


def _ranked_replies(node: Node) -> list[Node]:
    return [reply for reply in _replies(node) if isinstance(reply.get("rank"), int)]


def _replies(node: Node) -> list[Node]:
    replies = node.get("replies") or []
    if not isinstance(replies, list) or not all(isinstance(reply, dict) for reply in replies):
        raise MalformedRow(_("The replies of a message must be a list of messages."))
    return [reply for reply in replies if not reply.get("deleted")]


def _rank(node: Node) -> int:
    rank = node.get("rank")
    return rank if isinstance(rank, int) else 1_000


def _message(node: Node) -> dict[str, str]:
    role, text = node.get("role"), node.get("text")
    if role not in _ROLES or not isinstance(text, str):
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
