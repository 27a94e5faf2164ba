"""Rows with the columns that TRL's trainers document, in their conversational form."""

from collections.abc import Iterator
from typing import Any

from annotation.comparisons import implied_comparisons
from trainer.handoff.records import DemonstrationRecord, RankingRecord

Row = dict[str, Any]


def preference_rows(record: RankingRecord) -> Iterator[Row]:
    """One row per comparison that the ranking implies: none for ties, none between unacceptable ones."""
    texts = {completion["id"]: completion["text"] for completion in record.completions}
    for winner, loser in implied_comparisons(record.tiers, record.unacceptable):
        yield {
            "prompt": record.messages,
            "chosen": [{"role": "assistant", "content": texts[winner]}],
            "rejected": [{"role": "assistant", "content": texts[loser]}],
        }


def prompt_completion_rows(record: DemonstrationRecord) -> Iterator[Row]:
    """One row per assistant turn, so that a trainer learns every answer and none of the user's turns."""
    for position, turn in enumerate(record.turns):
        if turn["role"] == "assistant":
            yield {"prompt": [*record.messages, *record.turns[:position]], "completion": [turn]}
