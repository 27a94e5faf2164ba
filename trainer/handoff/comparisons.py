"""What a ranking says about two completions."""

from collections.abc import Sequence
from itertools import combinations, product


def implied_comparisons(
    tiers: Sequence[Sequence[int]], unacceptable: Sequence[int] = ()
) -> list[tuple[int, int]]:
    """Every (winner, loser) that an ordered partition implies, best winners first.

    Completions that share a tier are tied and imply nothing; unacceptable ones lose to every ranked one
    and imply nothing among themselves.
    """
    levels = [*tiers, unacceptable]
    return [pair for better, worse in combinations(levels, 2) for pair in product(better, worse)]


def implied_ties(tiers: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Every two completions that share a tier, best tier first. Unacceptable ones are no tier: that none
    of them will do does not say that they are equally good."""
    return [pair for tier in tiers for pair in combinations(tier, 2)]
