"""What the families of formats share: what an answer is, what a conversation is, which pairs there are."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa

from annotation.comparisons import implied_comparisons
from trainer.handoff.records import Message, RankingRecord

Row = dict[str, Any]
Answers = dict[int, list[Message]]

CONVERSATION = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))


def answers_of(record: RankingRecord) -> Answers:
    """Each completion as the assistant's message, by its id."""
    return {
        int(one["id"]): [{"role": "assistant", "content": str(one["text"])}] for one in record.completions
    }


def counting(records: Iterable[RankingRecord]) -> list[RankingRecord]:
    """Those that order something, without the ones that a reviewer's order stands in for."""
    return [record for record in records if record.weight and not record.cannot_judge]


def implied_pairs(records: Iterable[RankingRecord]) -> Iterator[tuple[RankingRecord, int, int]]:
    """Every (record, winner, loser): none for ties, none between unacceptable ones."""
    for record in counting(records):
        for winner, loser in implied_comparisons(record.tiers, record.unacceptable):
            yield record, winner, loser


def levels(record: RankingRecord) -> dict[int, int]:
    """How far down each completion stands, from 0; the unacceptable ones share the lowest place."""
    tiers = [*record.tiers, record.unacceptable]
    return {pk: level for level, tier in enumerate(tiers) for pk in tier}


def timestamp(record: RankingRecord) -> float:
    """When it was submitted, in seconds since 1970."""
    return datetime.fromisoformat(record.submitted_at).timestamp()
