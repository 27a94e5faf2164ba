"""When a practice item is passed: a law of two orders, whatever the responses are called."""

from collections.abc import Sequence
from fractions import Fraction

from annotation.accuracy import Tiers, share_ordered_alike
from annotation.comparisons import implied_comparisons

PASSING_SHARE = Fraction(3, 4)
"""Of four responses, two neighbours may stand the wrong way round; of two or three, none."""

Order = tuple[Tiers, Sequence[int]]
"""Tiers, best first, and what is unacceptable."""


def is_passed(answer: Order, judgement: Order) -> bool:
    """Whether enough of the answer's comparisons are ordered alike, and nothing unacceptable is put above
    what is not."""
    share = share_ordered_alike(answer, judgement)
    return share is not None and share >= PASSING_SHARE and not _praises_unacceptable(answer, judgement)


def _praises_unacceptable(answer: Order, judgement: Order) -> bool:
    unacceptable = set(answer[1])
    given = implied_comparisons(*judgement)
    return any(better in unacceptable and worse not in unacceptable for better, worse in given)
