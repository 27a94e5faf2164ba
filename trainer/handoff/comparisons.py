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
