"""HelpSteer3's preferences: two responses, and what each person said of them, from -3 to 3.

Below zero the first response is the better one; the farther from zero, the more so.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from statistics import mean

import pyarrow as pa

from trainer.exports.rows import CONVERSATION, Row, levels
from trainer.handoff.records import RankingRecord

_PERSON = pa.struct(
    [
        ("score", pa.int32()),
        ("reasoning", pa.string()),
        ("feedback1", pa.string()),
        ("feedback2", pa.string()),
        ("rater", pa.string()),
    ]
)
SCHEMA = pa.schema(
    [
        ("domain", pa.string()),
        ("language", pa.string()),
        ("context", CONVERSATION),
        ("response1", pa.string()),
        ("response2", pa.string()),
        ("overall_preference", pa.int32()),
        ("individual_preference", pa.list_(_PERSON)),
    ]
)
MOST = 3


def rows(records: Sequence[RankingRecord]) -> Iterator[Row]:
    """One row per two candidates that somebody could judge, with all who did."""
    told = [record for record in records if not record.cannot_judge]
    texts = {int(one["id"]): str(one["text"]) for one in records[0].completions}
    for one, other in combinations(texts, 2) if told else ():
        scores = [preference(record, one, other) for record in told]
        counted = [score for score, record in zip(scores, told, strict=True) if record.weight]
        yield {
            "domain": told[0].kind,
            "language": told[0].language,
            "context": told[0].messages,
            "response1": texts[one],
            "response2": texts[other],
            "overall_preference": round(mean(counted)) if counted else 0,
            "individual_preference": [
                {
                    "score": score,
                    "reasoning": record.rationale,
                    "feedback1": feedback(record, one),
                    "feedback2": feedback(record, other),
                    "rater": record.labeler,
                }
                for score, record in zip(scores, told, strict=True)
            ],
        }


def preference(record: RankingRecord, one: int, other: int) -> int:
    """How far apart the two stand: in tiers, or between the best and the next as strong as was said."""
    place = levels(record)
    apart = place[one] - place[other]
    size = min(abs(apart), MOST)
    if record.strength and {place[one], place[other]} == {0, 1}:
        size = record.strength
    return size if apart > 0 else -size


def feedback(record: RankingRecord, pk: int) -> str:
    rated = [f"{rating['axis']} {rating['rating']}" for rating in record.ratings if rating["id"] == pk]
    return "; ".join([*rated, *(str(flag["flag"]) for flag in record.flags if flag["id"] == pk)])
