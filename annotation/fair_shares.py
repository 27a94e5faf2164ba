"""Nobody may speak for all: how much of each person's is taken."""

from collections.abc import Sequence


def fair_limit(counts: Sequence[int], percent: int) -> int:
    """The most that is taken of one person, where people have so much each.

    It is the largest m with m ≤ percent % of Σ min(n, m). Fewer people than could keep to that, fewer than
    ten at 10 %, have equal parts instead: m ≤ Σ min(n, m) / people.
    """
    people, low, high = len(counts), 0, max(counts, default=0)
    # What is allowed is everything from 0 up to the limit, for Σ min(n, m) grows ever more slowly with m.
    while low < high:
        middle = (low + high + 1) // 2
        taken = sum(min(count, middle) for count in counts)
        if 100 * middle <= percent * taken or people * middle <= taken:
            low = middle
        else:
            high = middle - 1
    return low
