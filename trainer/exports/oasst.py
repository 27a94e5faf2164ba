"""Open-Assistant's message trees: the conversation as a chain, the answers as its last message's replies."""

import hashlib
from collections.abc import Iterator, Sequence
from statistics import mean
from typing import Any
from uuid import UUID

import pyarrow as pa

from trainer.exports.rows import Row, counting, levels
from trainer.handoff.records import DemonstrationRecord, Message, RankingRecord

Node = dict[str, Any]

# A tree is as deep as its conversation: no table has such a column, so this is written as JSON alone.
SCHEMA = pa.schema([("message_tree_id", pa.string()), ("tree_state", pa.string()), ("prompt", pa.string())])

_ROLES = {"user": "prompter", "assistant": "assistant"}
_RATINGS_APART = 6
"""From the lowest rating, 1, to the highest, 5; labels go from 0 to 1."""


def rows(records: Sequence[RankingRecord | DemonstrationRecord]) -> Iterator[Row]:
    """One tree per candidate set, or per demonstration."""
    match records[0]:
        case RankingRecord() as first:
            rankings = [record for record in records if isinstance(record, RankingRecord)]
            yield _tree(first.messages, first.language, _replies(rankings), first.candidate_set_id)
        case DemonstrationRecord() as one:
            yield _tree([*one.messages, *one.turns], one.language, [], one.demonstration_id)


def _tree(messages: Sequence[Message], language: str, replies: list[Node], number: int) -> Row:
    """A chain of single replies that ends in ``replies``. It has no role for the system."""
    said = [message for message in messages if message["role"] in _ROLES]
    path: list[str] = [f"{number}"]
    root: Node | None = None
    last: Node | None = None
    for message in said:
        node = _node(path, message["content"], _ROLES[message["role"]], language, last)
        if last is None:
            root = node
        else:
            last["replies"].append(node)
        last = node
    assert root is not None and last is not None  # a prompt ends with the user's message
    for reply in replies:
        last["replies"].append(_node([*path], reply.pop("text"), "assistant", language, last) | reply)
    return {"message_tree_id": root["message_id"], "tree_state": "ready_for_export", "prompt": root}


def _node(path: list[str], text: str, role: str, language: str, parent: Node | None) -> Node:
    path.append(text)
    digest = hashlib.sha256("\0".join(path).encode()).digest()
    return {
        "message_id": str(UUID(bytes=digest[:16])),
        "parent_id": parent["message_id"] if parent else None,
        "text": text,
        "role": role,
        "lang": language,
        "review_count": 0,
        "review_result": None,
        "deleted": False,
        "rank": None,
        "synthetic": False,
        "model_name": None,
        "emojis": {},
        "labels": {},
        "replies": [],
    }


def _replies(records: Sequence[RankingRecord]) -> list[Node]:
    """What each answer's message has of its own; ties share a rank, the best is 0."""
    first, told = records[0], counting(records)
    places = [levels(record) for record in told]
    ids = [int(one["id"]) for one in first.completions]
    means = {pk: mean(place[pk] for place in places) for pk in ids} if places else {}
    ranks = {value: rank for rank, value in enumerate(sorted(set(means.values())))}
    models = dict(zip(ids, first.written_by, strict=False))
    return [
        {
            "text": str(one["text"]),
            "review_count": len(told),
            "rank": ranks[means[pk]] if means else None,
            "synthetic": bool(models.get(pk)),
            "model_name": models.get(pk) or None,
            "labels": _labels(told, pk),
        }
        for pk, one in zip(ids, first.completions, strict=True)
    ]


def _labels(records: Sequence[RankingRecord], pk: int) -> Row:
    given: dict[str, list[int]] = {}
    for record in records:
        for rating in record.ratings:
            if rating["id"] == pk:
                given.setdefault(str(rating["axis"]), []).append(int(rating["rating"]))
    return {
        axis: {"value": (mean(ratings) - 1) / _RATINGS_APART, "count": len(ratings)}
        for axis, ratings in given.items()
    }
