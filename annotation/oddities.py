"""Habits of labelers that are worth a look: shown as they are, and never a reason to reject anything.

Each ballot leaves some numbers that are only ever added up, so that any number of ballots can be looked at in
one pass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import factorial, log, prod

import numpy as np
from scipy.stats import binomtest, false_discovery_control, norm

from annotation.comparisons import Ballot, Floats
from annotation.estimates import Estimate, Figure, Undefined, Z

MINIMUM = 10
"""Rankings below which a slope or a median says nothing of its labeler."""
NOTABLE = 0.05
"""The share of mere chance that is put up with among what is marked."""
FAST = 0.25
"""Of the median time of all: nobody reads four times as fast as half of the others."""

MARKS = (
    "rankings",
    "first_cases",
    "first_seen",
    "first_expected",
    "straight_cases",
    "straight_seen",
    "straight_expected",
    "tied",
    "length_xy",
    "length_xx",
    "length_xy_xy",
    "length_xy_xx",
    "length_xx_xx",
)


@dataclass(frozen=True)
class Oddity:
    """A habit in figures, what it would be without it, and whether it stands out among all labelers'."""

    figure: Figure
    expected: float | None = None
    q: float | None = None
    """The false discovery rate at which it would be marked (Benjamini and Hochberg 1995)."""

    @property
    def stands_out(self) -> bool:
        return self.q is not None and self.q < NOTABLE


def marks_of(ballot: Ballot, shown: Sequence[int], lengths: Mapping[int, int]) -> list[float]:
    """What a ballot adds to its labeler's sums, in the order of ``MARKS``.

    ``shown`` is the order on the screen, which was drawn by lot; ``lengths`` are those of the texts.
    """
    levels = ballot.levels()
    seen = [levels[pk] for pk in shown if pk in levels]
    return [1.0, *_first(seen), *_straight(seen), float(len(set(seen)) == 1), *_length(ballot, lengths)]


def _first(seen: Sequence[int]) -> tuple[float, float, float]:
    """Whether what was shown first is among the best, and how likely that was by lot."""
    if len(set(seen)) < 2:
        return 0.0, 0.0, 0.0
    best = min(seen)
    return 1.0, float(seen[0] == best), seen.count(best) / len(seen)


def _straight(seen: Sequence[int]) -> tuple[float, float, float]:
    """Whether the order is the one shown, and how likely that was by lot."""
    if len(set(seen)) < 2:
        return 0.0, 0.0, 0.0
    orders = prod(factorial(seen.count(level)) for level in set(seen))
    return 1.0, float(all(one <= other for one, other in pairwise(seen))), orders / factorial(len(seen))


def _length(ballot: Ballot, lengths: Mapping[int, int]) -> tuple[float, ...]:
    levels, rejected = ballot.levels(), set(ballot.unacceptable)
    known = [pk for pk in levels if lengths.get(pk)]
    xy = xx = 0.0
    for place, one in enumerate(known):
        for other in known[place + 1 :]:
            if {one, other} <= rejected:
                continue
            longer = log(lengths[one] / lengths[other])
            better = (levels[other] > levels[one]) - (levels[other] < levels[one])
            xy, xx = xy + longer * better, xx + longer * longer
    return xy, xx, xy * xy, xy * xx, xx * xx


def find_oddities(sums: Floats, seconds: Sequence[Floats]) -> dict[str, list[Oddity]]:
    """For each habit, each labeler's figure. ``sums`` has a row for each labeler, its columns are ``MARKS``;
    ``seconds`` are what each of a labeler's rankings took."""
    mark = dict(zip(MARKS, sums.T, strict=True))
    fast, everybody = _fast(seconds)
    return {
        "first": _shares(mark["first_seen"], mark["first_cases"], mark["first_expected"], "two-sided"),
        "straight": _shares(
            mark["straight_seen"], mark["straight_cases"], mark["straight_expected"], "greater"
        ),
        "ties": _against_all(mark["tied"], mark["rankings"]),
        "length": _slopes(mark),
        "seconds": _times(seconds),
        "fast": _against_all(fast, everybody),
    }


def _shares(seen: Floats, cases: Floats, expected: Floats, alternative: str) -> list[Oddity]:
    figures: list[Figure] = []
    chances: list[float | None] = []
    for k, n, by_lot in zip(seen, cases, expected, strict=True):
        if not n:
            figures.append(Undefined("nothing_to_tell"))
            chances.append(None)
            continue
        # Of shares that differ from ranking to ranking the binomial is the widest: none is marked too early.
        test = binomtest(int(k), int(n), min(1.0, by_lot / n), alternative=alternative)
        interval = binomtest(int(k), int(n)).proportion_ci(method="wilson")
        figures.append(Estimate(k / n, float(interval.low), float(interval.high), int(n)))
        chances.append(float(test.pvalue))
    expectations = [by_lot / n if n else None for by_lot, n in zip(expected, cases, strict=True)]
    return _marked(figures, expectations, chances)


def _against_all(seen: Floats, cases: Floats) -> list[Oddity]:
    share = seen.sum() / cases.sum() if cases.sum() else 0.0
    return _shares(seen, cases, share * cases, "greater")


def _slopes(mark: Mapping[str, Floats]) -> list[Oddity]:
    """How much likelier a text is preferred when it is e times as long as the other: least squares through
    the origin, with errors that know that a ranking's comparisons go together."""
    whole = mark["length_xx"].sum()
    common = mark["length_xy"].sum() / whole if whole else 0.0
    figures: list[Figure] = []
    chances: list[float | None] = []
    for row in range(len(mark["rankings"])):
        xy, xx, xy_xy, xy_xx, xx_xx = (
            mark[f"length_{name}"][row] for name in ("xy", "xx", "xy_xy", "xy_xx", "xx_xx")
        )
        if mark["rankings"][row] < MINIMUM or not xx:
            figures.append(Undefined("too_few_rankings" if xx else "nothing_to_tell"))
            chances.append(None)
            continue
        slope = xy / xx
        error = max(0.0, xy_xy - 2 * slope * xy_xx + slope**2 * xx_xx) ** 0.5 / xx
        figures.append(Estimate(slope, slope - Z * error, slope + Z * error, int(mark["rankings"][row])))
        chances.append(float(2 * norm.sf(abs(slope - common) / error)) if error else None)
    return _marked(figures, [common] * len(figures), chances)


def _times(seconds: Sequence[Floats]) -> list[Oddity]:
    """Each labeler's median time; how far from the others' medians, in robust deviations of its logarithm."""
    logs = [np.log(np.maximum(one, 0.1)) for one in seconds]
    medians = np.array([np.median(one) if len(one) >= MINIMUM else np.nan for one in logs])
    known = medians[~np.isnan(medians)]
    middle = float(np.median(known)) if len(known) else 0.0
    spread = _deviation(known)
    figures: list[Figure] = []
    chances: list[float | None] = []
    for one, median in zip(logs, medians, strict=True):
        if np.isnan(median):
            figures.append(Undefined("too_few_rankings"))
            chances.append(None)
            continue
        error = 1.2533 * _deviation(one) / len(one) ** 0.5
        low, value, high = np.exp([median - Z * error, median, median + Z * error])
        figures.append(Estimate(float(value), float(low), float(high), len(one)))
        chances.append(float(2 * norm.sf(abs(median - middle) / spread)) if spread else None)
    return _marked(figures, [float(np.exp(middle))] * len(figures), chances)


def _fast(seconds: Sequence[Floats]) -> tuple[Floats, Floats]:
    everything = np.concatenate([np.zeros(0), *seconds])
    limit = FAST * float(np.median(everything)) if len(everything) else 0.0
    return (
        np.array([(one < limit).sum() for one in seconds], dtype=float),
        np.array([len(one) for one in seconds], dtype=float),
    )


def _deviation(values: Floats) -> float:
    """The standard deviation by the median of distances from the median: outliers do not move it."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values)))) if len(values) else 0.0


def _marked(
    figures: Sequence[Figure], expected: Sequence[float | None], chances: Sequence[float | None]
) -> list[Oddity]:
    known = [chance for chance in chances if chance is not None]
    adjusted = iter(false_discovery_control(known) if known else [])
    return [
        Oddity(figure, by_lot, None if chance is None else float(next(adjusted)))
        for figure, by_lot, chance in zip(figures, expected, chances, strict=True)
    ]
