"""How well a labeler orders what has a known answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from annotation.comparisons import implied_comparisons

Tiers = Sequence[Sequence[int]]


def share_ordered_alike(
    answer: tuple[Tiers, Sequence[int]], judgement: tuple[Tiers, Sequence[int]]
) -> Fraction | None:
    """The share of the answer's comparisons that a judgement orders the same way; None if it has none.

    Where the judgement orders neither before the other (a tie, or both unacceptable), half is right, as if
    a coin had been thrown. Where the answer itself has a tie it compares nothing, so no order is wrong.
    """
    right = implied_comparisons(*answer)
    if not right:
        return None
    given = set(implied_comparisons(*judgement))
    halves = sum(2 if pair in given else 0 if pair[::-1] in given else 1 for pair in right)
    return Fraction(halves, 2 * len(right))


@dataclass(frozen=True)
class Accuracy:
    """The mean of ``sets`` shares, and the 95 % interval around it; all None where there is no set."""

    sets: int
    mean: float | None
    low: float | None
    high: float | None


def accuracy_of(shares: Sequence[Fraction]) -> Accuracy:
    """Accuracy over candidate sets: one with nine candidates counts as much as one with two.

    A share between 0 and 1 varies no more than a coin with the same mean, so Wilson's interval for that
    many coins is wide enough. It is made for whole successes: its low end is that of the sum rounded down,
    its high end that of the sum rounded up.
    """
    # Loading it takes a second, which no web process should pay before somebody asks.
    from scipy.stats import binomtest

    if not shares:
        return Accuracy(0, None, None, None)
    right, sets = sum(shares), len(shares)
    return Accuracy(
        sets,
        float(right / sets),
        low=binomtest(floor(right), sets).proportion_ci(method="wilson").low,
        high=binomtest(ceil(right), sets).proportion_ci(method="wilson").high,
    )
