"""Our own: one candidate set a row, with every ranking of it, what they say together, and pairs' counts."""

import json
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import pyarrow as pa

from trainer.exports.rows import CONVERSATION, Row, answers_of, counting, levels, timestamp
from trainer.handoff.records import RankingRecord

_IDS = pa.list_(pa.int64())
_GROUPS = pa.list_(_IDS)
_RANKING = pa.struct(
    [
        ("rater", pa.string()),
        ("purpose", pa.string()),
        ("groups", _GROUPS),
        ("unacceptable", _IDS),
        ("cannot_judge", pa.string()),
        ("strength", pa.int32()),
        ("ratings", pa.list_(pa.struct([("id", pa.int64()), ("axis", pa.string()), ("rating", pa.int32())]))),
        ("flags", pa.list_(pa.struct([("id", pa.int64()), ("flag", pa.string())]))),
        (
            "spans",
            pa.list_(
                pa.struct(
                    [("id", pa.int64()), ("start", pa.int32()), ("end", pa.int32()), ("flag", pa.string())]
                )
            ),
        ),
        ("rationale", pa.string()),
        ("edited", pa.struct([("id", pa.int64()), ("text", pa.string())])),
        ("display_order", _IDS),
        ("seconds", pa.float64()),
        ("guideline_version", pa.int32()),
        ("consent_version", pa.int32()),
        # A number: readers of JSON take a date as text for a time, and lose its zone.
        ("tstamp", pa.float64()),
        ("weight", pa.float64()),
    ]
)
_SCORE = pa.struct(
    [("id", pa.int64()), ("value", pa.float64()), ("low", pa.float64()), ("high", pa.float64())]
)
_CONSENSUS = pa.struct(
    [
        ("method", pa.string()),
        ("groups", _GROUPS),
        ("unacceptable", _IDS),
        ("scores", pa.list_(_SCORE)),
        ("agreement", pa.float64()),
        ("is_adjudicated", pa.bool_()),
    ]
)
_PAIR = pa.struct(
    [
        ("winner", pa.int64()),
        ("loser", pa.int64()),
        ("n_win", pa.int32()),
        ("n_lose", pa.int32()),
        ("n_tie", pa.int32()),
        ("margin", pa.float64()),
    ]
)
_RESPONSE = pa.struct([("id", pa.int64()), ("messages", CONVERSATION), ("model", pa.string())])
SCHEMA = pa.schema(
    [
        ("prompt", CONVERSATION),
        ("kind", pa.string()),
        ("language", pa.string()),
        ("responses", pa.list_(_RESPONSE)),
        ("rankings", pa.list_(_RANKING)),
        ("consensus", _CONSENSUS),
        ("pairs", pa.list_(_PAIR)),
    ]
)


def rows(records: Sequence[RankingRecord]) -> Iterator[Row]:
    first = records[0]
    answers = answers_of(first)
    models = dict(zip(answers, first.written_by, strict=False))
    yield {
        "prompt": first.messages,
        "kind": first.kind,
        "language": first.language,
        "responses": [
            {"id": pk, "messages": answer, "model": models.get(pk, "")} for pk, answer in answers.items()
        ],
        "rankings": [_ranking(record) for record in records],
        "consensus": _consensus(first.consensus),
        "pairs": [_pair(counting(records), one, other) for one, other in combinations(answers, 2)],
    }


def _ranking(record: RankingRecord) -> Row:
    return {
        "rater": record.labeler,
        "purpose": record.purpose,
        "groups": record.tiers,
        "unacceptable": record.unacceptable,
        "cannot_judge": record.cannot_judge,
        "strength": record.strength,
        "ratings": record.ratings,
        "flags": record.flags,
        "spans": record.spans,
        "rationale": record.rationale,
        "edited": record.edited,
        "display_order": record.shown_order,
        "seconds": record.seconds_spent,
        "guideline_version": record.guideline_version,
        "consent_version": record.consent_version,
        "tstamp": timestamp(record),
        "weight": record.weight,
    }


def _consensus(text: str) -> Row | None:
    if not text:
        return None
    told = json.loads(text)
    scores = sorted((int(pk), score) for pk, score in told["scores"].items())
    return {
        "method": told["method"],
        "groups": told["tiers"],
        "unacceptable": told["unacceptable"],
        "scores": [{"id": pk, **_interval(score)} for pk, score in scores],
        "agreement": told["agreement"],
        "is_adjudicated": told["is_adjudicated"],
    }


def _interval(score: Any) -> Row:
    told = score if isinstance(score, dict) else {"value": score}
    return {name: told.get(name) for name in ("value", "low", "high")}


def _pair(records: Sequence[RankingRecord], one: int, other: int) -> Row:
    """How the counting rankings decide two candidates. The margin is the share that the winner is ahead;
    two unacceptable ones are not compared, and count for neither."""
    won = lost = tied = 0
    for record in records:
        place = levels(record)
        won += place[one] < place[other]
        lost += place[one] > place[other]
        tied += place[one] == place[other] < len(record.tiers)
    if lost > won:
        one, other, won, lost = other, one, lost, won
    compared = won + lost + tied
    margin = (won - lost) / compared if compared else 0.0
    return {"winner": one, "loser": other, "n_win": won, "n_lose": lost, "n_tie": tied, "margin": margin}
