"""What can be read from a run's curves: each signal is one number that says how far something has gone.

``health.py`` says from where on which of them is trouble.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite, sqrt
from typing import Any

Points = list[tuple[int, float]]
"""(step, value), in order."""
Curves = Mapping[str, Points]
"""By metric."""


@dataclass(frozen=True)
class Signal:
    size: float
    step: int
    """Where it shows."""
    numbers: dict[str, float] = field(default_factory=dict)
    """What a sentence about it may name, beside ``size`` and ``step``."""


Read = Callable[[Curves], Signal | None]
"""None where the curves are too short to tell, or missing."""


def curves_of(lines: Sequence[Mapping[str, Any]]) -> Curves:
    """Every metric by step. A step told again replaces what it said before; what is no number is left out."""
    curves: dict[str, dict[int, float]] = {}
    for line in lines:
        for name, value in line.items():
            if isinstance(value, int | float) and isfinite(value) and "step" in line:
                curves.setdefault(name, {})[int(line["step"])] = float(value)
    return {name: sorted(points.items()) for name, points in curves.items()}


def first_gap(name: str, *, to: float) -> Read:
    """How far the first value is from ``to``."""

    def read(curves: Curves) -> Signal | None:
        points = curves.get(name, [])[:1]
        return next((Signal(abs(value - to), step, {"first": value}) for step, value in points), None)

    return read


def latest(name: str, *, span: int = 1) -> Read:
    """Mean of the last ``span`` values, of fewer where there are no more."""

    def read(curves: Curves) -> Signal | None:
        points = curves.get(name, [])[-span:]
        return Signal(_mean(points), points[-1][0]) if points else None

    return read


def highest(name: str, *, span: int) -> Read:
    """The highest mean of ``span`` values in a row."""

    def read(curves: Curves) -> Signal | None:
        points = curves.get(name, [])
        windows = [points[end - span : end] for end in range(span, len(points) + 1)]
        means = [Signal(_mean(window), window[-1][0]) for window in windows]
        return max(means, key=lambda signal: signal.size, default=None)

    return read


def ratio_to_start(name: str, *, span: int) -> Read:
    """Mean of the last ``span`` values over the mean of the first ``span``."""

    def read(curves: Curves) -> Signal | None:
        points = curves.get(name, [])
        if len(points) < 2 * span or not (start := _mean(points[:span])):
            return None
        now = _mean(points[-span:])
        return Signal(now / start, points[-1][0], {"start": start, "now": now})

    return read


def longest_stretch(name: str, *, below: float) -> Read:
    """Most values in a row below a bound; ``step`` is where they began."""

    def read(curves: Curves) -> Signal | None:
        points = curves.get(name, [])
        stretches = [points[start:end] for start, end in _stretches(points, below)]
        if not points or not stretches:
            return Signal(0, points[-1][0]) if points else None
        worst = max(stretches, key=len)
        return Signal(len(worst), worst[0][0], {"lowest": min(value for _step, value in worst)})

    return read


def stretch_until_now(name: str, *, below: float) -> Read:
    """Values in a row below a bound, up to the last; ``step`` is where they began."""

    def read(curves: Curves) -> Signal | None:
        points = curves.get(name, [])
        if not points:
            return None
        start, end = _stretches(points, below)[-1] if points[-1][1] < below else (len(points) - 1,) * 2
        return Signal(end - start, points[start][0], {"now": points[-1][1]})

    return read


def ratio_of_thirds(name: str, *, least: int) -> Read:
    """Mean of the last third over the mean of the first, once there are ``least`` values."""

    def read(curves: Curves) -> Signal | None:
        thirds = _thirds(curves.get(name, []), least)
        if not thirds or not thirds[0]:
            return None
        return Signal(thirds[1] / thirds[0], curves[name][-1][0], {"start": thirds[0], "now": thirds[1]})

    return read


def gain(name: str, *, least: int) -> Read:
    """Mean of the last third less the mean of the first, once there are ``least`` values."""

    def read(curves: Curves) -> Signal | None:
        thirds = _thirds(curves.get(name, []), least)
        if not thirds:
            return None
        return Signal(thirds[1] - thirds[0], curves[name][-1][0], {"start": thirds[0], "now": thirds[1]})

    return read


def gain_after_drift(score: str, ref_kl: str, kl_coef: str, *, least: int) -> Read:
    """What the score gained less what the drift costs: the gain of the objective that PPO maximizes. Only
    where the score itself gained."""

    def read(curves: Curves) -> Signal | None:
        drift, price = dict(curves.get(ref_kl, [])), dict(curves.get(kl_coef, []))
        points = [point for point in curves.get(score, []) if point[0] in drift and point[0] in price]
        objective = [(step, value - price[step] * drift[step]) for step, value in points]
        scores, objectives = _thirds(points, least), _thirds(objective, least)
        if not scores or not objectives:
            return None
        risen, net = scores[1] - scores[0], objectives[1] - objectives[0]
        return Signal(net if risen > 0 else 0.0, points[-1][0], {"gain": risen, "cost": risen - net})

    return read


def rise_from_best(held_out: str, train: str) -> Read:
    """The last held-out loss over the lowest one, where the train loss fell meanwhile; ``step`` is the
    lowest one's."""

    def read(curves: Curves) -> Signal | None:
        points = curves.get(held_out, [])
        if len(points) < 2 or train not in curves:
            return None
        step, best = min(points, key=lambda point: point[1])
        last = points[-1][1]
        is_falling = _trend([value for at, value in curves.get(train, []) if at >= step]) < 0
        numbers = {"best": best, "now": last}
        return Signal(last / best if is_falling and best > 0 else 1.0, step, numbers)

    return read


def parting(proxy: str, gold: str, *, least: int, rising: float) -> Read:
    """How surely the gold falls after its peak, while the proxy still rises; ``step`` is the peak's.

    Over a window of a quarter of the run so far: the t statistic of the gold's slope, negated; 0 where that
    of the proxy's slope is not ``rising`` or more. The largest since the peak.
    """

    def read(curves: Curves) -> Signal | None:
        golds = dict(curves.get(gold, []))
        points = [(step, value, golds[step]) for step, value in curves.get(proxy, []) if step in golds]
        span = max(least, len(points) // 4)
        if len(points) < span:
            return None
        smooth = [_mean_of([p[2] for p in points[end - span : end]]) for end in range(span, len(points) + 1)]
        peak = max(range(len(smooth)), key=smooth.__getitem__)
        windows = [points[start : start + span] for start in range(peak, len(smooth), max(1, span // 8))]
        surest = max(
            -_trend([p[2] for p in window]) if _trend([p[1] for p in window]) >= rising else 0.0
            for window in windows
        )
        numbers = {"best": smooth[peak], "now": smooth[-1]}
        return Signal(surest, points[peak + span // 2][0], numbers)

    return read


def _mean(points: Points) -> float:
    return _mean_of([value for _step, value in points])


def _mean_of(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _thirds(points: Points, least: int) -> tuple[float, float] | None:
    """Means of the first and of the last third."""
    third = len(points) // 3
    return (_mean(points[:third]), _mean(points[-third:])) if len(points) >= least else None


def _stretches(points: Points, below: float) -> list[tuple[int, int]]:
    """(start, end) of every unbroken stretch of values below the bound."""
    inside = [False, *(value < below for _step, value in points), False]
    edges = [index for index, (before, after) in enumerate(pairwise(inside)) if before != after]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _trend(values: Sequence[float]) -> float:
    """The t statistic of the least-squares slope over the index: beyond 3 hardly by chance. Exact lines get
    a large one; fewer than three values and constants get 0."""
    count = len(values)
    if count < 3:
        return 0.0
    middle, mean = (count - 1) / 2, _mean_of(values)
    spread = sum((index - middle) ** 2 for index in range(count))
    slope = sum((index - middle) * value for index, value in enumerate(values)) / spread
    left = sum((value - mean - slope * (index - middle)) ** 2 for index, value in enumerate(values))
    if not slope:
        return 0.0
    error = sqrt(left / (count - 2) / spread)
    return slope / max(error, abs(slope) * 1e-3)
