"""Figures that say how sure they are, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from annotation.comparisons import Floats

Z = 1.959963984540054
"""Half the width of a 95 % interval, in standard errors."""


@dataclass(frozen=True)
class Estimate:
    """A figure, its 95 % interval where there is one, and the number of cases behind it."""

    value: float
    low: float | None
    high: float | None
    cases: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Undefined:
    """Why there is no figure, as a code that screens put into words."""

    why: str

    def as_json(self) -> dict[str, Any]:
        return {"undefined": self.why}


Figure = Estimate | Undefined


def wilson(successes: float, cases: float) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927): of use from the first case on."""
    share, z2 = successes / cases, Z * Z
    middle = (share + z2 / (2 * cases)) / (1 + z2 / cases)
    reach = Z / (1 + z2 / cases) * math.sqrt(share * (1 - share) / cases + z2 / (4 * cases * cases))
    return max(0.0, middle - reach), min(1.0, middle + reach)


class Totals:
    """Sums over candidate sets, and the same sums over resamples of them, in one pass.

    Each resample counts each set Poisson(1) times, which is the bootstrap of a stream (Chamandy et al.
    2012): memory does not grow with the number of sets, and what one set's judgements have in common is
    never taken for independent evidence.
    """

    def __init__(self, width: int, *, resamples: int = 200, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._sums = np.zeros((1 + resamples, width))
        self.sets = 0

    def add(self, rows: Floats) -> None:
        """Count candidate sets, a row of summands for each."""
        counts = self._random.poisson(1, (len(self._sums) - 1, len(rows)))
        self._sums[0] += rows.sum(axis=0)
        self._sums[1:] += counts @ rows
        self.sets += len(rows)

    def estimate(self, figure: Callable[[Floats], float | Undefined], cases: int) -> Figure:
        """``figure`` of the sums, with the interval that its values in the resamples span."""
        value = figure(self._sums[0])
        if isinstance(value, Undefined):
            return value
        if self.sets < 2:
            return Estimate(value, None, None, cases)
        drawn = [again for again in map(figure, self._sums[1:]) if not isinstance(again, Undefined)]
        if len(drawn) < len(self._sums) // 2:
            return Estimate(value, None, None, cases)
        low, high = np.quantile(drawn, [0.025, 0.975])
        return Estimate(value, min(float(low), value), max(float(high), value), cases)

    @property
    def sums(self) -> Floats:
        total: Floats = self._sums[0]
        return total
