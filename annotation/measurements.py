"""All figures of a campaign's quality, from one pass over its candidate sets."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from annotation.agreement import (
    OUTCOMES,
    Metric,
    agreeing_and_all,
    agreement_with_others,
    alpha,
    coincidences,
    interval,
    kendall_taus,
    mirrored,
    nominal,
    ordinal,
    outcome_counts,
    ratio,
)
from annotation.comparisons import Ballot, Floats, candidates_of, outcome_matrix
from annotation.estimates import Estimate, Figure, Totals, Undefined, Z
from annotation.oddities import MARKS, Oddity, find_oddities, marks_of
from annotation.reliability import Collector, estimate_reliability

RATINGS = np.arange(1.0, 8.0)
_AGREEING, _ALL, _TAU, _TAUS, _RANKINGS, _TOGETHER = 0, 1, 2, 3, 4, slice(5, 14)
_WIDTH = 14


@dataclass(frozen=True)
class Judged:
    """One labeler's ballot on a candidate set, and how it came about."""

    labeler: int
    ballot: Ballot
    shown: Sequence[int]
    seconds: float
    ratings: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class JudgedSet:
    kind: str
    week: str
    lengths: Mapping[int, int]
    judged: Sequence[Judged]
    is_sampled: bool = True
    """Whether it is among those that reliability is estimated from."""


class Measurements:
    """Memory grows with the labelers, weeks and prompt kinds; of rankings it keeps the seconds they took, and
    the comparisons of sampled sets."""

    def __init__(self, *, seed: int = 0) -> None:
        self._seed = seed
        self._groups: dict[tuple[str, str], Totals] = {("campaign", ""): self._totals()}
        self._ratings: dict[str, Totals] = {}
        self._labelers: dict[int, int] = {}
        self._marks: list[Floats] = []
        self._agreement: list[Floats] = []
        self._seconds: list[array[float]] = []
        self._collector = Collector()

    def add(self, candidate_sets: Sequence[JudgedSet]) -> None:
        rows = np.array([self._row(one) for one in candidate_sets]).reshape(-1, _WIDTH)
        self._groups["campaign", ""].add(rows)
        for group in ("kind", "week"):
            names = np.array([getattr(one, group) for one in candidate_sets])
            for name in sorted(set(names)):
                self._groups.setdefault((group, str(name)), self._totals()).add(rows[names == name])
        self._add_ratings(candidate_sets)

    def figures(self) -> dict[str, Any]:
        """Everything, as JSON."""
        whole = self._groups["campaign", ""]
        return {
            "rankings": int(whole.sums[_RANKINGS]),
            "candidate_sets": whole.sets,
            "reliability_sets": self._collector.sets,
            "campaign": _agreement_figures(whole),
            "ratings": {axis: _rating_alpha(totals) for axis, totals in sorted(self._ratings.items())},
            "kinds": self._group("kind"),
            "weeks": self._group("week"),
            "labelers": self._labeler_figures(),
        }

    def _totals(self, width: int = _WIDTH) -> Totals:
        return Totals(width, seed=self._seed)

    def _group(self, group: str) -> list[dict[str, Any]]:
        return [
            {"name": name, **_agreement_figures(totals)}
            for (of, name), totals in sorted(self._groups.items())
            if of == group
        ]

    def _row(self, one: JudgedSet) -> Floats:
        ballots = [judged.ballot for judged in one.judged]
        outcomes = outcome_matrix(ballots, candidates_of(ballots))
        taus = kendall_taus(outcomes)
        taus = taus[~np.isnan(taus)]
        row = np.zeros(_WIDTH)
        row[[_AGREEING, _ALL]] = agreeing_and_all(outcomes)
        row[[_TAU, _TAUS, _RANKINGS]] = taus.sum(), len(taus), len(ballots)
        row[_TOGETHER] = mirrored(coincidences(outcome_counts(outcomes))).ravel()
        for judged, agreeing, everything in zip(one.judged, *agreement_with_others(outcomes), strict=True):
            self._add_labeler(judged, one, agreeing, everything)
        if one.is_sampled:
            self._collector.add([(judged.labeler, judged.ballot) for judged in one.judged])
        return row

    def _add_labeler(self, judged: Judged, one: JudgedSet, agreeing: float, everything: float) -> None:
        number = self._labelers.setdefault(judged.labeler, len(self._labelers))
        if number == len(self._marks):
            self._marks.append(np.zeros(len(MARKS)))
            self._agreement.append(np.zeros(6))
            self._seconds.append(array("d"))
        self._marks[number] += marks_of(judged.ballot, judged.shown, one.lengths)
        self._agreement[number] += [
            agreeing,
            everything,
            agreeing * agreeing,
            agreeing * everything,
            everything * everything,
            everything > 0,
        ]
        self._seconds[number].append(judged.seconds)

    def _add_ratings(self, candidate_sets: Sequence[JudgedSet]) -> None:
        for one in candidate_sets:
            by_axis: dict[str, dict[str, list[int]]] = {}
            for judged in one.judged:
                for completion, ratings in judged.ratings.items():
                    for axis, rating in ratings.items():
                        by_axis.setdefault(axis, {}).setdefault(completion, []).append(rating)
            for axis, units in by_axis.items():
                counts = np.array([[given.count(value) for value in range(1, 8)] for given in units.values()])
                totals = self._ratings.setdefault(axis, self._totals(len(RATINGS) ** 2))
                totals.add(coincidences(counts.astype(float)).reshape(1, -1))

    def _labeler_figures(self) -> list[dict[str, Any]]:
        reliability = self._reliability()
        sums = np.array(self._marks).reshape(-1, len(MARKS))
        oddities = find_oddities(sums, [np.array(one) for one in self._seconds])
        return [
            {
                "labeler": labeler,
                "rankings": int(sums[number, 0]),
                "agreement": _as_json(_with_others(self._agreement[number])),
                "reliability": _as_json(reliability.get(labeler, Undefined("not_sampled"))),
                "oddities": {name: _oddity(found[number]) for name, found in oddities.items()},
            }
            for labeler, number in self._labelers.items()
        ]

    def _reliability(self) -> dict[int, Figure]:
        comparisons = self._collector.collected()
        if len(comparisons.labelers) < 2:
            return {labeler: Undefined("fewer_than_two_labelers") for labeler in comparisons.labelers}
        found = estimate_reliability(comparisons, seed=self._seed)
        columns = found.ability, found.low, found.high, found.cases
        return {
            labeler: Estimate(float(value), float(low), float(high), int(cases))
            if cases
            else Undefined("nothing_in_common")
            for labeler, value, low, high, cases in zip(comparisons.labelers, *columns, strict=True)
        }


def _agreement_figures(totals: Totals) -> dict[str, Any]:
    sums = totals.sums
    compared, correlated = int(sums[_ALL]), int(sums[_TAUS])

    def chance_corrected(metric: Metric) -> Figure:
        return totals.estimate(lambda sums: alpha(sums[_TOGETHER].reshape(3, 3), OUTCOMES, metric), compared)

    return {
        "rankings": int(sums[_RANKINGS]),
        "agreement": _as_json(totals.estimate(lambda sums: ratio(sums[_AGREEING], sums[_ALL]), compared)),
        "alpha": _as_json(chance_corrected(nominal)),
        "alpha_graded": _as_json(chance_corrected(interval)),
        "tau": _as_json(totals.estimate(lambda sums: ratio(sums[_TAU], sums[_TAUS]), correlated)),
    }


def _rating_alpha(totals: Totals) -> dict[str, Any]:
    cases = int(totals.sums.sum())
    return _as_json(
        totals.estimate(lambda sums: alpha(sums.reshape(len(RATINGS), -1), RATINGS, ordinal), cases)
    )


def _with_others(sums: Floats) -> Figure:
    """A ratio of sums over sets, with the error that its spread between sets gives (Cochran 1977, 6.4)."""
    agreeing, everything, squared, crossed, whole_squared, sets = sums
    share = ratio(agreeing, everything)
    if isinstance(share, Undefined):
        return share
    if sets < 2:
        return Estimate(float(share), None, None, int(everything))
    spread = max(0.0, squared - 2 * share * crossed + share * share * whole_squared)
    error = (spread * sets / (sets - 1)) ** 0.5 / everything
    low, high = max(0.0, share - Z * error), min(1.0, share + Z * error)
    return Estimate(float(share), float(low), float(high), int(everything))


def _oddity(found: Oddity) -> dict[str, Any]:
    told: dict[str, Any] = {**_as_json(found.figure), "stands_out": found.stands_out}
    if found.expected is not None:
        told["expected"] = round(float(found.expected), 4)
    return told


def _as_json(figure: Figure) -> dict[str, Any]:
    return {
        name: round(float(value), 4) if isinstance(value, float) else value
        for name, value in figure.as_json().items()
    }
