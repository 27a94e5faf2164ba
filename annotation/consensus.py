"""What the ballots on one candidate set say together.

No method looks at ids: renaming completions renames the consensus and changes nothing else. What the ballots
leave even stays tied.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from annotation.comparisons import Ballot, Floats, candidates_of, count_comparisons, pairs
from annotation.estimates import Estimate, Z, wilson

PRIOR_SD = 2.0
"""Of scores, in logits: weak, and enough for a single ballot to leave them finite."""
TIE_PRIOR_SD = 1.0
"""Of the logarithm of how likely ties are, around as likely as a win among equals."""
EVEN = 1e-6
"""Scores nearer than this are equal: the rest is rounding."""


@dataclass(frozen=True)
class Order:
    """An ordered partition with a score for each completion, and the interval of that score."""

    tiers: list[list[int]]
    unacceptable: list[int]
    scores: dict[int, Estimate]


def find_consensus(ballots: Sequence[Ballot], method: str, candidates: Sequence[int] | None = None) -> Order:
    """The consensus by ``method``, a key of ``METHODS``. Ballots may name some of the candidates only."""
    candidates = candidates_of(ballots) if candidates is None else sorted(candidates)
    scores = METHODS[method](ballots, candidates)
    rejected = [completion for completion in candidates if _most_reject(ballots, completion)]
    kept = [completion for completion in candidates if completion not in rejected]
    return Order(_tiers(kept, scores), rejected, scores)


def _most_reject(ballots: Sequence[Ballot], completion: int) -> bool:
    naming = [ballot for ballot in ballots if completion in ballot.levels()]
    against = sum(ballot.weight for ballot in naming if completion in ballot.unacceptable)
    return against > sum(ballot.weight for ballot in naming) / 2


def _tiers(candidates: Sequence[int], scores: dict[int, Estimate]) -> list[list[int]]:
    def rounded(completion: int) -> float:
        return -round(scores[completion].value / EVEN)

    ranked = sorted(candidates, key=lambda completion: (rounded(completion), completion))
    return [list(tier) for _score, tier in groupby(ranked, key=rounded)]


def bradley_terry(ballots: Sequence[Ballot], candidates: Sequence[int]) -> dict[int, Estimate]:
    """Bradley–Terry scores with Davidson's ties (1970): P(i beats j) : P(tie) : P(j beats i) is
    exp(d/2) : ν : exp(−d/2), where d is the difference of their scores. Ties are evidence of nearness."""
    counts = list(count_comparisons(ballots, candidates).values())
    wins, losses, ties = np.array([(c.n_win, c.n_lose, c.n_tie) for c in counts]).reshape(-1, 3).T
    cases = wins + losses + ties
    size = len(candidates)
    one, other = pairs(size)
    contrasts = np.eye(size)[one] - np.eye(size)[other]

    def derivatives(place: Floats) -> tuple[Floats, Floats]:
        half = contrasts @ place[:size] / 2
        terms = np.exp(np.stack([half, -half, np.full_like(half, place[size])]))
        win, loss, tie = terms / terms.sum(axis=0)
        slope = ((wins - losses) - cases * (win - loss)) / 2
        bend = cases * (win + loss - (win - loss) ** 2) / 4
        cross = contrasts.T @ (-cases * tie * (win - loss) / 2)
        gradient = np.append(contrasts.T @ slope, (ties - cases * tie).sum())
        curvature = np.zeros((size + 1, size + 1))
        curvature[:size, :size] = contrasts.T @ (bend[:, None] * contrasts)
        curvature[size, :size] = curvature[:size, size] = cross
        curvature[size, size] = (cases * tie * (1 - tie)).sum()
        return gradient, curvature

    return _fitted(derivatives, candidates, np.append(np.full(size, PRIOR_SD), TIE_PRIOR_SD), len(ballots))


def plackett_luce(ballots: Sequence[Ballot], candidates: Sequence[int]) -> dict[int, Estimate]:
    """Plackett–Luce scores: the best is chosen among all, the next among the rest, and so on.

    Each member of a shared tier is chosen over what stands below the tier, and says nothing of the others in
    it; so unacceptable completions lose to all acceptable ones, and there are no choices among them.
    """
    size = len(candidates)
    choices = [choice for ballot in ballots for choice in _choices(ballot, candidates)]
    weights = np.array([weight for weight, _chosen, _among in choices])
    chosen = np.array([chosen for _weight, chosen, _among in choices], dtype=int)
    among = np.array([among for _weight, _chosen, among in choices]).reshape(-1, size)

    def derivatives(scores: Floats) -> tuple[Floats, Floats]:
        terms = among * np.exp(scores)
        chances = terms / terms.sum(axis=1, keepdims=True)
        expected = weights @ chances
        gradient = np.bincount(chosen, weights, size) - expected
        return gradient, np.diag(expected) - chances.T @ (weights[:, None] * chances)

    return _fitted(derivatives, candidates, np.full(size, PRIOR_SD), len(ballots))


def _choices(ballot: Ballot, candidates: Sequence[int]) -> list[tuple[float, int, list[bool]]]:
    levels = ballot.levels()
    return [
        (
            ballot.weight,
            candidates.index(chosen),
            [c == chosen or levels.get(c, -1) > levels[chosen] for c in candidates],
        )
        for tier in ballot.tiers
        for chosen in tier
    ]


Derivatives = Callable[[Floats], tuple[Floats, Floats]]


def _fitted(
    derivatives: Derivatives, candidates: Sequence[int], prior_sd: Floats, cases: int
) -> dict[int, Estimate]:
    """The most likely scores under normal priors, by Newton's steps; intervals from the curvature there."""
    place, precision = np.zeros(len(prior_sd)), np.diag(prior_sd**-2)
    for _step in range(100):
        gradient, curvature = derivatives(place)
        step = np.linalg.solve(curvature + precision, gradient - precision @ place)
        # The log-likelihood is concave; a bound on the step keeps it from jumping over the summit.
        place = place + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < EVEN**2:
            break
    size = len(candidates)
    covariance = np.linalg.inv(derivatives(place)[1] + precision)[:size, :size]
    # Only differences mean anything: the scores' common part is the prior's alone.
    centre = np.eye(size) - 1 / size
    errors = np.sqrt(np.diag(centre @ covariance @ centre))
    return {
        completion: Estimate(float(score), float(score - Z * error), float(score + Z * error), cases)
        for completion, score, error in zip(candidates, centre @ place[:size], errors, strict=True)
    }


def borda(ballots: Sequence[Ballot], candidates: Sequence[int]) -> dict[int, Estimate]:
    """The share of the others that a completion beats on a ballot, on average; a tie is half a win.

    The interval counts ballots, not comparisons, since those of one ballot are not independent.
    """
    points, cases = _wins(ballots, candidates), np.zeros(len(candidates))
    for ballot in ballots:
        cases += ballot.weight * np.isin(candidates, list(ballot.levels()))
    compared = points + points.T
    shares = {}
    for row, completion in enumerate(candidates):
        share = points[row].sum() / compared[row].sum() if compared[row].sum() else 0.5
        low, high = wilson(share * cases[row], cases[row]) if cases[row] else (0.0, 1.0)
        shares[completion] = Estimate(float(share), low, high, len(ballots))
    return shares


def ranked_pairs(ballots: Sequence[Ballot], candidates: Sequence[int]) -> dict[int, Estimate]:
    """Tideman's ranked pairs (1987): the larger a majority, the earlier it is locked in, unless that closes a
    circle. Majorities of one size are looked at together, and those that close a circle with each other all
    fall: nothing is decided by ids.

    The score is the share of the others that a completion ends up above, half for those that it is level
    with. The interval keeps only majorities whose own interval leaves no doubt of their direction.
    """
    wins, size = _wins(ballots, candidates), len(candidates)
    locked = _locked(np.round(wins - wins.T, 9))
    sure = np.array([[_is_sure(wins[i, j], wins[j, i]) for j in range(size)] for i in range(size)])
    above, surely = _closure(locked), _closure(locked & sure)
    others = max(size - 1, 1)
    value = 0.5 + (above.sum(axis=1) - above.sum(axis=0)) / (2 * others)
    low, high = surely.sum(axis=1) / others, 1 - surely.sum(axis=0) / others
    return {
        completion: Estimate(float(value[row]), float(low[row]), float(high[row]), len(ballots))
        for row, completion in enumerate(candidates)
    }


def _wins(ballots: Sequence[Ballot], candidates: Sequence[int]) -> Floats:
    """How much weight prefers the row's completion to the column's; of a tie, half."""
    places = {completion: place for place, completion in enumerate(candidates)}
    wins = np.zeros((len(candidates), len(candidates)))
    for (one, other), counts in count_comparisons(ballots, candidates).items():
        wins[places[one], places[other]] = counts.n_win + counts.n_tie / 2
        wins[places[other], places[one]] = counts.n_lose + counts.n_tie / 2
    return wins


def _locked(margins: Floats) -> np.ndarray:
    locked = np.zeros(margins.shape, dtype=bool)
    for margin in sorted({float(margin) for margin in margins[margins > 0]}, reverse=True):
        level = (margins == margin) & ~_closure(locked).T
        # On a circle: its loser leads back to its winner.
        locked |= level & ~_closure(locked | level).T
    return locked


def _closure(edges: np.ndarray) -> np.ndarray:
    """Who leads to whom along the edges, by any way (Warshall 1962)."""
    reach = edges.copy()
    for through in range(len(reach)):
        reach |= reach[:, through, None] & reach[None, through, :]
    return reach


def _is_sure(wins: float, losses: float) -> bool:
    return wins > losses and wilson(wins, wins + losses)[0] > 0.5


METHODS: dict[str, Callable[[Sequence[Ballot], Sequence[int]], dict[int, Estimate]]] = {
    "bradley_terry": bradley_terry,
    "plackett_luce": plackett_luce,
    "borda": borda,
    "ranked_pairs": ranked_pairs,
}
