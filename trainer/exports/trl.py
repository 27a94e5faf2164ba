"""Rows with the columns that TRL's trainers document, in their conversational form."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from trainer.exports.rows import CONVERSATION, Row, answers_of, counting, implied_pairs
from trainer.handoff.records import DemonstrationRecord, FeedbackRecord, PromptRecord, RankingRecord

MESSAGES = pa.schema([("messages", CONVERSATION)])
PROMPT_COMPLETION = pa.schema([("prompt", CONVERSATION), ("completion", CONVERSATION)])
PREFERENCE = pa.schema([("prompt", CONVERSATION), ("chosen", CONVERSATION), ("rejected", CONVERSATION)])
IMPLICIT_PREFERENCE = pa.schema([("chosen", CONVERSATION), ("rejected", CONVERSATION)])
UNPAIRED = pa.schema([("prompt", CONVERSATION), ("completion", CONVERSATION), ("label", pa.bool_())])
PROMPT_ONLY = pa.schema([("prompt", CONVERSATION)])


def messages_rows(records: Sequence[DemonstrationRecord]) -> Iterator[Row]:
    """One row per demonstration: the whole conversation."""
    for record in records:
        yield {"messages": [*record.messages, *record.turns]}


def prompt_completion_rows(records: Sequence[DemonstrationRecord]) -> Iterator[Row]:
    """One row per assistant turn, so that a trainer learns every answer and none of the user's turns."""
    for record in records:
        for position, turn in enumerate(record.turns):
            if turn["role"] == "assistant":
                yield {"prompt": [*record.messages, *record.turns[:position]], "completion": [turn]}


def preference_rows(records: Sequence[RankingRecord]) -> Iterator[Row]:
    """One row per comparison that the ranking implies: none for ties, none between unacceptable ones."""
    answers = answers_of(records[0])
    for record, winner, loser in implied_pairs(records):
        yield {"prompt": record.messages, "chosen": answers[winner], "rejected": answers[loser]}


def implicit_preference_rows(records: Sequence[RankingRecord]) -> Iterator[Row]:
    """The same comparisons as two whole conversations."""
    answers = answers_of(records[0])
    whole = {pk: [*records[0].messages, *answer] for pk, answer in answers.items()}
    for _record, winner, loser in implied_pairs(records):
        yield {"chosen": whole[winner], "rejected": whole[loser]}


def unpaired_rows(records: Sequence[RankingRecord] | Sequence[FeedbackRecord]) -> Iterator[Row]:
    """One row per answer that a ranking calls good or bad, or a thumb; those between give none, and neither
    does what is only guessed: the format has no weights."""
    for record in records:
        if isinstance(record, RankingRecord):
            yield from _unpaired([record])
        elif record.source == "thumb":
            answer = [{"role": "assistant", "content": record.completion}]
            yield {"prompt": record.messages, "completion": answer, "label": record.label}


def _unpaired(records: Sequence[RankingRecord]) -> Iterator[Row]:
    answers = answers_of(records[0])
    for record in counting(records):
        good, bad = _good_and_bad(record)
        for pk in [*good, *bad]:
            yield {"prompt": record.messages, "completion": answers[pk], "label": pk in good}


def prompt_rows(records: Sequence[PromptRecord]) -> Iterator[Row]:
    for record in records:
        yield {"prompt": record.messages}


def _good_and_bad(record: RankingRecord) -> tuple[list[int], list[int]]:
    """The best tier, and what is unacceptable or, where nothing is, the last tier. A lone tier says
    nothing."""
    tiers = record.tiers
    if record.unacceptable:
        return (tiers[0] if tiers else []), record.unacceptable
    return (tiers[0], tiers[-1]) if len(tiers) > 1 else ([], [])
