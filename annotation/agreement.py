"""How far labelers agree.

``outcomes`` are those of ``comparisons.outcome_matrix``: a row for each ballot on one candidate set, a
column for each two candidates. Whatever is summed over candidate sets is a plain sum, so that a campaign of
any size can be measured in one pass.
"""

from collections.abc import Callable

import numpy as np

from annotation.comparisons import Floats, pairs
from annotation.estimates import Undefined

OUTCOMES = np.array([-1.0, 0.0, 1.0])
"""The first of two candidates loses, ties, wins."""

Metric = Callable[[Floats, Floats], Floats]
"""Squared differences between categories, of their values and of how often each occurs."""


def outcome_counts(outcomes: Floats) -> Floats:
    """How many ballots say that the first loses, ties, wins: a row for each two candidates."""
    return np.stack([(outcomes == said).sum(axis=0) for said in OUTCOMES], axis=1).astype(float)


def agreeing_and_all(outcomes: Floats) -> tuple[float, float]:
    """Over every two candidates and every two ballots that speak of them: how often both say the same, and
    how often there are two."""
    counts = outcome_counts(outcomes)
    cases = counts.sum(axis=1)
    return float((counts * (counts - 1)).sum() / 2), float((cases * (cases - 1)).sum() / 2)


def agreement_with_others(outcomes: Floats) -> tuple[Floats, Floats]:
    """The same for each ballot against all others: agreeing, and all."""
    counts = outcome_counts(outcomes)
    known = ~np.isnan(outcomes)
    said = np.where(known, outcomes + 1, 0).astype(int)
    same = np.take_along_axis(counts, said.T, axis=1).T - 1
    others = counts.sum(axis=1) - 1
    return (same * known).sum(axis=1), (others * known).sum(axis=1)


def raw_agreement(outcomes: Floats) -> float | Undefined:
    """The share of comparisons that two labelers agree on; a tie agrees with a tie only."""
    if len(outcomes) < 2:
        return Undefined("fewer_than_two_labelers")
    return ratio(*agreeing_and_all(outcomes))


def ratio(part: float, whole: float) -> float | Undefined:
    return part / whole if whole else Undefined("nothing_in_common")


def kendall_taus(outcomes: Floats) -> Floats:
    """Kendall's τ-b of every two ballots; NaN where one of them has nothing but ties.

    Written as Kendall (1945) did: the correlation of the signs. What a ballot does not say counts as a tie.
    """
    signs = np.nan_to_num(outcomes)
    products = signs @ signs.T
    lengths = np.sqrt(np.diag(products))
    one, other = pairs(len(signs))
    with np.errstate(invalid="ignore"):
        taus: Floats = products[one, other] / (lengths[one] * lengths[other])
    return taus


def coincidences(counts: Floats) -> Floats:
    """Krippendorff's coincidence matrix: which two values of a unit go together, each unit counting as often
    as it has values. ``counts`` has a row for each unit, a column for each category."""
    cases = counts.sum(axis=1)
    counts = counts[cases >= 2]
    each = counts / (cases[cases >= 2] - 1)[:, None]
    together: Floats = each.T @ counts - np.diag(each.sum(axis=0))
    return together


def mirrored(together: Floats) -> Floats:
    """The same with each two candidates taken in both directions: which of them is called the first is
    nobody's choice, and must not move what chance alone would agree on."""
    both: Floats = together + together[::-1, ::-1]
    return both


def nominal(values: Floats, marginals: Floats) -> Floats:
    """Any two different categories differ by as much."""
    different: Floats = 1.0 - np.eye(len(values))
    return different


def interval(values: Floats, marginals: Floats) -> Floats:
    """Categories differ by their values; of outcomes, a tie is halfway, which costs a quarter."""
    squared: Floats = (values[:, None] - values[None, :]) ** 2
    return squared


def ordinal(values: Floats, marginals: Floats) -> Floats:
    """Categories differ by how many values lie between them."""
    ranks = np.cumsum(marginals) - marginals / 2
    return interval(ranks, marginals)


def alpha(together: Floats, values: Floats, metric: Metric) -> float | Undefined:
    """Krippendorff's α (2011): 1 is perfect, 0 is what chance would give, below 0 is worse than that."""
    marginals = together.sum(axis=0)
    cases = marginals.sum()
    if cases < 2:
        return Undefined("nothing_in_common")
    differences = metric(values, marginals)
    expected = marginals @ differences @ marginals / (cases - 1)
    if expected <= 0:
        return Undefined("no_variation")
    return float(1 - (together * differences).sum() / expected)
