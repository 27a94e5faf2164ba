"""Arena battles: every two answers of a ranking meet, in the order in which they were shown."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import pyarrow as pa

from trainer.exports.rows import CONVERSATION, Row, answers_of, counting, levels, timestamp
from trainer.handoff.records import RankingRecord

SCHEMA = pa.schema(
    [
        ("question_id", pa.string()),
        ("model_a", pa.string()),
        ("model_b", pa.string()),
        ("winner", pa.string()),
        ("judge", pa.string()),
        ("conversation_a", CONVERSATION),
        ("conversation_b", CONVERSATION),
        ("turn", pa.int32()),
        ("anony", pa.bool_()),
        ("language", pa.string()),
        ("tstamp", pa.float64()),
    ]
)

UNKNOWN = "unknown"
"""Who wrote an answer that none of our checkpoints wrote."""


def rows(records: Sequence[RankingRecord]) -> Iterator[Row]:
    first = records[0]
    whole = {pk: [*first.messages, *answer] for pk, answer in answers_of(first).items()}
    models = dict(zip(whole, first.written_by, strict=False))
    for record in counting(records):
        place = levels(record)
        for a, b in combinations(_shown(record), 2):
            yield {
                "question_id": record.prompt_digest,
                "model_a": models.get(a) or UNKNOWN,
                "model_b": models.get(b) or UNKNOWN,
                "winner": _winner(place[a], place[b], bottom=len(record.tiers)),
                "judge": record.labeler,
                "conversation_a": whole[a],
                "conversation_b": whole[b],
                "turn": sum(turn["role"] == "user" for turn in record.messages),
                # Nobody is told which model wrote what.
                "anony": True,
                "language": record.language,
                "tstamp": timestamp(record),
            }


def _shown(record: RankingRecord) -> list[int]:
    ids = [int(one["id"]) for one in record.completions]
    return record.shown_order if sorted(record.shown_order) == sorted(ids) else ids


def _winner(a: int, b: int, *, bottom: int) -> str:
    if a == b:
        return "tie (bothbad)" if a == bottom else "tie"
    return "model_a" if a < b else "model_b"
