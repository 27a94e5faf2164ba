"""Measuring a campaign's quality: one pass over its rankings, in the background."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import groupby, islice
from typing import Any

from django.db.models import Count
from django.db.models.functions import Length

from annotation.comparisons import Ballot
from annotation.measurements import Judged, JudgedSet, Measurements
from annotation.models import Assignment, Campaign, CandidateSet, Completion, QualityReport, Ranking

SETS_AT_ONCE = 500
RELIABILITY_COMPARISONS = 1_000_000
"""Of a campaign with more, abilities are estimated from a sample of its candidate sets of about this size."""

_COLUMNS = (
    "assignment__candidate_set",
    "assignment__candidate_set__prompt__kind",
    "labeler",
    "tiers",
    "unacceptable",
    "shown_order",
    "seconds_spent",
    "submitted_at",
    "ratings",
)
Row = tuple[Any, ...]


def make_report(*, campaign: Campaign, now: datetime, seed: int = 0) -> QualityReport:
    """Measure all current rankings of the campaign that count toward its overlap."""
    counted = Ranking.objects.current().filter(
        assignment__campaign=campaign,
        assignment__purpose=Assignment.Purpose.OVERLAP,
        assignment__status=Assignment.Status.SUBMITTED,
    )
    judged = counted.filter(cannot_judge="")
    share = _sampled_share(campaign, judged.count())
    rows = judged.order_by("assignment__candidate_set", "pk").values_list(*_COLUMNS)
    measurements = Measurements(seed=seed)
    for chunk in _chunks(rows.iterator(chunk_size=2000)):
        measurements.add(_judged_sets(chunk, share, seed))
    figures = {
        **measurements.figures(),
        "reliability_share": share,
        "seed": seed,
        "cannot_judge": counted.exclude(cannot_judge="").count(),
    }
    return QualityReport.objects.create(
        campaign=campaign, rankings=figures["rankings"], figures=figures, made_at=now
    )


def _sampled_share(campaign: Campaign, rankings: int) -> float:
    sets = CandidateSet.objects.filter(prompt__campaign=campaign).order_by("-pk")
    sizes = [size for (size,) in sets.annotate(size=Count("completions")).values_list("size")[:200]]
    comparisons = rankings * sum(size * (size - 1) / 2 for size in sizes) / max(len(sizes), 1)
    return min(1.0, RELIABILITY_COMPARISONS / comparisons) if comparisons else 1.0


def _chunks(rows: Iterable[Row]) -> Iterator[list[list[Row]]]:
    """The rankings of some candidate sets at a time, set by set."""
    sets = (list(group) for _set, group in groupby(rows, key=lambda row: row[0]))
    while chunk := list(islice(sets, SETS_AT_ONCE)):
        yield chunk


def _judged_sets(chunk: Sequence[Sequence[Row]], share: float, seed: int) -> list[JudgedSet]:
    named = Completion.objects.filter(candidate_sets__in=[rows[0][0] for rows in chunk])
    lengths = dict(named.values_list("pk", Length("text")))
    return [
        JudgedSet(
            kind=rows[0][1],
            week=_week(max(row[7] for row in rows)),
            lengths=lengths,
            judged=[_judged(row) for row in rows],
            is_sampled=_lot(rows[0][0], seed) < share,
        )
        for rows in chunk
    ]


def _judged(row: Row) -> Judged:
    _set, _kind, labeler, tiers, unacceptable, shown, seconds, _submitted, ratings = row
    return Judged(labeler, Ballot(tiers, unacceptable), shown, seconds, ratings)


def _week(moment: datetime) -> str:
    """Its Monday."""
    return (moment.date() - timedelta(days=moment.weekday())).isoformat()


def _lot(candidate_set: int, seed: int) -> float:
    """A number in [0, 1) that is the candidate set's own."""
    return int.from_bytes(sha256(f"{seed}:{candidate_set}".encode()).digest()[:8]) / 2**64
