"""How good a reward model is, from its raw scores. ``docs/metrics.md`` has the formulas.

A figure is ``{"value": number, …}``, or ``{"value": None, "why": sentence}`` where it is undefined.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import Any

from trainer.handoff.comparisons import implied_comparisons

Figure = dict[str, Any]

BINS = 10
CONFIDENCE_95 = 1.959964  # standard deviations
NO_COMPARISONS = "No held-out ranking prefers one completion over another."


@dataclass(frozen=True)
class ScoredRanking:
    """A ranking, and what the reward model says about the same completions. Ids, never positions."""

    prompt_id: int
    candidate_set_id: int
    labeler: str
    tiers: Sequence[Sequence[int]]
    unacceptable: Sequence[int]
    scores: Mapping[int, float]
    """Raw, as the loss saw them: before bias and scale."""
    lengths: Mapping[int, int]
    """Tokens of each completion."""

    @property
    def levels(self) -> dict[int, int]:
        """The tier of each completion, 0 the best; unacceptable ones are on the last."""
        levels = [*self.tiers, self.unacceptable]
        return {completion: level for level, tier in enumerate(levels) for completion in tier}


@dataclass(frozen=True)
class ScoredComparison:
    prompt_id: int
    margin: float
    """The winner's score less the loser's."""
    distance: int
    """Tiers between them; 1 for neighbours."""
    extra_tokens: int
    """Of the winner."""

    @property
    def right(self) -> float:
        return agreement(self.margin)


def reward_report(rankings: Sequence[ScoredRanking], log_theta: float = 0.0) -> dict[str, Any]:
    """All figures; ``log_theta`` is Rao–Kupper's threshold where the model was trained with one."""
    rows = [row for ranking in rankings for row in scored_comparisons(ranking)]
    return {
        "rankings": len(rankings),
        "comparisons": len(rows),
        "prompts": len({row.prompt_id for row in rows}),
        "accuracy": accuracy(rows),
        "accuracy_by_rank_distance": accuracy_by_rank_distance(rows),
        "kendall_tau": mean_kendall_tau(rankings),
        "calibration": calibration(rows, log_theta),
        "length": length_bias(rankings, rows),
        "ceiling": labelers_ceiling(rankings),
    }


def scored_comparisons(ranking: ScoredRanking) -> list[ScoredComparison]:
    scores, lengths, levels = ranking.scores, ranking.lengths, ranking.levels
    return [
        ScoredComparison(
            prompt_id=ranking.prompt_id,
            margin=scores[winner] - scores[loser],
            distance=levels[loser] - levels[winner],
            extra_tokens=lengths[winner] - lengths[loser],
        )
        for winner, loser in implied_comparisons(ranking.tiers, ranking.unacceptable)
    ]


def agreement(margin: float) -> float:
    """1 where the winner is ahead, ½ where both are equal, else 0."""
    return 0.5 if margin == 0 else float(margin > 0)


def accuracy(rows: Sequence[ScoredComparison]) -> Figure:
    """The share of comparisons whose winner scores higher, with a 95 % interval."""
    if not rows:
        return unknown(NO_COMPARISONS)
    share = fmean(row.right for row in rows)
    low, high = wilson_interval(share, effective_count(rows))
    return known(share, low=_short(low), high=_short(high), comparisons=len(rows))


def accuracy_by_rank_distance(rows: Iterable[ScoredComparison]) -> list[Figure]:
    at: dict[int, list[ScoredComparison]] = defaultdict(list)
    for row in rows:
        at[row.distance].append(row)
    return [{"distance": distance, **accuracy(at[distance])} for distance in sorted(at)]


def effective_count(rows: Sequence[ScoredComparison]) -> float:
    """How many independent comparisons tell as much as these, which come in clusters: one for each prompt.

    n divided by the design effect (Kish 1965), from the variance of a ratio over clusters. At most n; where
    all prompts agree, their number.
    """
    clusters: dict[int, list[float]] = defaultdict(list)
    for row in rows:
        clusters[row.prompt_id].append(row.right)
    share, count = fmean(row.right for row in rows), len(rows)
    spread = math.fsum((math.fsum(some) - share * len(some)) ** 2 for some in clusters.values())
    if spread < 1e-12 * count:
        return len(clusters)
    return min(count, share * (1 - share) * count**2 / spread)


def wilson_interval(share: float, count: float) -> tuple[float, float]:
    """The 95 % interval of a share among ``count`` (Wilson 1927)."""
    z = CONFIDENCE_95
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def mean_kendall_tau(rankings: Iterable[ScoredRanking]) -> Figure:
    """τ-b between labeler and model, averaged over the rankings that have one."""
    taus = []
    for ranking in rankings:
        levels = ranking.levels
        taus.append(kendall_tau([-levels[key] for key in levels], [ranking.scores[key] for key in levels]))
    defined = [tau for tau in taus if tau is not None]
    if not defined:
        return unknown("No held-out ranking and its scores both tell completions apart.")
    return known(fmean(defined), rankings=len(defined), undefined=len(taus) - len(defined))


def kendall_tau(first: Sequence[float], second: Sequence[float]) -> float | None:
    """τ-b (Kendall 1945): (C − D) / √((n₀ − n₁)(n₀ − n₂)). None where one of the two ties everything."""
    pairs = list(combinations(zip(first, second, strict=True), 2))
    signs = [(_sign(a - c), _sign(b - d)) for (a, b), (c, d) in pairs]
    untied = sum(abs(one) for one, _ in signs) * sum(abs(other) for _, other in signs)
    if not untied:
        return None
    return sum(one * other for one, other in signs) / math.sqrt(untied)


def calibration(rows: Sequence[ScoredComparison], log_theta: float = 0.0) -> dict[str, Any]:
    """Do the probabilities that the scores mean come true? By the side that the model favours."""
    if not rows:
        return {"ece": unknown(NO_COMPARISONS), "brier": unknown(NO_COMPARISONS), "bins": []}
    wins = [win_probability(row.margin, log_theta) for row in rows]
    binned: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for win, row in zip(wins, rows, strict=True):
        sure = max(win, 1 - win)
        binned[min(int((2 * sure - 1) * BINS), BINS - 1)].append((sure, row.right))
    bins = [
        {
            "comparisons": len(some),
            "confidence": _short(fmean(sure for sure, _ in some)),
            "accuracy": _short(fmean(right for _, right in some)),
        }
        for _, some in sorted(binned.items())
    ]
    gap = math.fsum(part["comparisons"] * abs(part["accuracy"] - part["confidence"]) for part in bins)
    return {
        "ece": known(gap / len(rows)),
        "brier": known(fmean((1 - win) ** 2 for win in wins)),
        "bins": bins,
    }


def win_probability(margin: float, log_theta: float = 0.0) -> float:
    """Of the completion that is ahead by ``margin``, given that it is no tie: σ(margin) under Bradley–Terry,
    Plackett–Luce and Davidson; under Rao–Kupper the ratio of its two probabilities decides."""
    return _sigmoid(_log_sigmoid(margin - log_theta) - _log_sigmoid(-margin - log_theta))


def length_bias(rankings: Sequence[ScoredRanking], rows: Sequence[ScoredComparison]) -> dict[str, Figure]:
    """What a longer completion gains, and how often it wins by labelers and by the model."""
    unequal = [row for row in rows if row.extra_tokens]
    why = "No held-out comparison is between completions of different length."

    def share(longer_wins: Callable[[ScoredComparison], float]) -> Figure:
        if not unequal:
            return unknown(why)
        return known(fmean(longer_wins(row) for row in unequal), comparisons=len(unequal))

    return {
        "score_per_100_tokens": length_slope(rankings),
        "longer_wins_by_labelers": share(lambda row: float(row.extra_tokens > 0)),
        "longer_wins_by_model": share(lambda row: agreement(row.margin * row.extra_tokens)),
    }


def length_slope(rankings: Iterable[ScoredRanking]) -> Figure:
    """Least squares of score on tokens *within* candidate sets, each counted once: that one prompt's answers
    are longer and score higher than another's is no bias."""
    points = []
    for one in {ranking.candidate_set_id: ranking for ranking in rankings}.values():
        tokens, score = fmean(one.lengths.values()), fmean(one.scores.values())
        points += [(one.lengths[key] - tokens, one.scores[key] - score) for key in one.scores]
    spread = math.fsum(tokens**2 for tokens, _ in points)
    if spread < 1e-9:
        return unknown("No held-out candidate set has completions of different length.")
    together = math.fsum(tokens * score for tokens, score in points)
    return known(100 * together / spread, completions=len(points))


def labelers_ceiling(rankings: Iterable[ScoredRanking]) -> Figure:
    """Over pairs of completions that two labelers of a candidate set both put in an order: the share on which
    they agree, and how often the model agrees with one of them on the same pairs."""
    by_set: dict[int, dict[str, ScoredRanking]] = defaultdict(dict)
    for ranking in rankings:
        by_set[ranking.candidate_set_id][ranking.labeler] = ranking
    couples = [couple for some in by_set.values() for couple in combinations(some.values(), 2)]
    if not couples:
        return unknown("No held-out candidate set was ranked by two labelers.")
    both = [pair for one, other in couples for pair in _ordered_by_both(one, other)]
    if not both:
        return unknown("No two labelers of a held-out candidate set put the same two completions in order.")
    labelers = fmean(float(agree) for agree, _ in both)
    return known(labelers, model=_short(fmean(model for _, model in both)), pairs=len(both))


def _ordered_by_both(one: ScoredRanking, other: ScoredRanking) -> list[tuple[bool, float]]:
    """Of each such pair: whether the labelers agree, and how far the model agrees with them, on average."""
    theirs = set(implied_comparisons(other.tiers, other.unacceptable))
    found = []
    for winner, loser in implied_comparisons(one.tiers, one.unacceptable):
        if (winner, loser) in theirs:
            found.append((True, agreement(one.scores[winner] - one.scores[loser])))
        elif (loser, winner) in theirs:
            found.append((False, 0.5))
    return found


def known(value: float, **more: Any) -> Figure:
    return {"value": _short(value), **more}


def unknown(why: str) -> Figure:
    return {"value": None, "why": why}


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _log_sigmoid(x: float) -> float:
    return min(x, 0.0) - math.log1p(math.exp(-abs(x)))


def _sigmoid(x: float) -> float:
    return math.exp(_log_sigmoid(x))
