"""Anthropic's HH-RLHF: two dialogues as plain text that differ in the last answer."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from trainer.exports.rows import Row, answers_of, implied_pairs
from trainer.handoff.records import Message, RankingRecord

SCHEMA = pa.schema([("chosen", pa.string()), ("rejected", pa.string())])

_SPEAKERS = {"user": "Human", "assistant": "Assistant"}


def rows(records: Sequence[RankingRecord]) -> Iterator[Row]:
    asked = _as_text(records[0].messages)
    whole = {pk: asked + _as_text(answer) for pk, answer in answers_of(records[0]).items()}
    for _record, winner, loser in implied_pairs(records):
        yield {"chosen": whole[winner], "rejected": whole[loser]}


def _as_text(messages: Sequence[Message]) -> str:
    """It knows two speakers: what the system said is left out."""
    told = [(_SPEAKERS.get(message["role"]), message["content"]) for message in messages]
    return "".join(f"\n\n{speaker}: {content}" for speaker, content in told if speaker)
