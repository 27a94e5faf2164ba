"""Which candidate sets teach a reward model most: those whose order it is unsure of."""

import math
from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

MOST = 100
"""The priority of candidates that the model cannot tell apart at all."""


def asking_priority(scores: Sequence[float]) -> int:
    """From 0 to ``MOST``: how unsure the model is about the order of candidates with these scores.

    The mean over pairs of 4 p (1 − p), with p = σ(s_i − s_j), the chance that one is better: in Bradley–Terry
    this is, up to the factor, what an answer about the pair tells of its scores (its Fisher information).
    """
    if len(scores) < 2:
        return 0
    return round(MOST * fmean(_doubt(one - other) for one, other in combinations(scores, 2)))


def _doubt(margin: float) -> float:
    # 4 p (1 − p) = 1 / cosh²(margin / 2); beyond 60 it is 0 to any priority, and cosh would overflow.
    return 1 / math.cosh(min(abs(margin), 60) / 2) ** 2
