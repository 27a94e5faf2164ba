"""How reliable each labeler is, and how good each completion, estimated together.

P(labeler l puts i above j) : P(tie) : P(j above i) is exp(d/2) : ν : exp(−d/2), d = ability_l · (s_i − s_j):
Bradley–Terry with Davidson's ties and a labeler's ability, as in Crowd-BT (Chen et al. 2013). Ability 0 is a
labeler whose orders say nothing, below 0 one who turns orders round.

Abilities are fitted to all that scores may be, not to the likeliest scores: with three ballots on a set,
those lean so far toward each of them that even a coin would look reliable (Neyman and Scott 1948).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.comparisons import Ballot, Floats, candidates_of, outcome_matrix, pairs
from annotation.estimates import Z

Ints = NDArray[np.int64]

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
_WEIGHTS /= _WEIGHTS.sum()
"""Points that stand for a normal distribution, and how much each counts."""


@dataclass(frozen=True)
class Comparisons:
    """What labelers said of two completions each: arrays of one length, and what their numbers stand for."""

    labeler: Ints
    first: Ints
    second: Ints
    outcome: Ints
    """1: the first wins, −1: it loses, 0: tie."""
    candidate_set: Ints
    labelers: list[int]
    """By number: the labeler's id."""
    completions: list[tuple[int, int]]
    """By number: the candidate set's place among those given, and the completion's id in it."""


@dataclass(frozen=True)
class Reliability:
    """Arrays by the numbers of ``comparisons``."""

    comparisons: Comparisons
    ability: Floats
    low: Floats
    high: Floats
    cases: Ints
    """Comparisons of each labeler."""
    scores: Floats
    """Of completions; within a candidate set only their differences mean anything."""
    tie_weight: float
    """ν: 1 where a tie between equals is as likely as either winning."""

    def weights(self) -> dict[int, float]:
        """By labeler id, for ``Ballot.weight``: abilities, and 0 for those who turn orders round."""
        return {
            labeler: max(0.0, float(ability))
            for labeler, ability in zip(self.comparisons.labelers, self.ability, strict=True)
        }


class Collector:
    """Takes the ballots on one candidate set after another."""

    def __init__(self) -> None:
        self._labelers: dict[int, int] = {}
        self._completions: list[tuple[int, int]] = []
        self._columns: list[Ints] = [np.zeros((5, 0), dtype=np.int64)]
        self.sets = 0

    def add(self, ballots: Sequence[tuple[int, Ballot]]) -> None:
        """The ballots on one candidate set, each with its labeler's id."""
        candidates = candidates_of(ballot for _labeler, ballot in ballots)
        outcomes = outcome_matrix([ballot for _labeler, ballot in ballots], candidates)
        row, pair = np.nonzero(~np.isnan(outcomes))
        who = np.array([self._number(labeler) for labeler, _ballot in ballots], dtype=np.int64)
        one, other = pairs(len(candidates))
        start = len(self._completions)
        said = outcomes[row, pair].astype(np.int64)
        number = np.full(len(row), self.sets)
        self._columns.append(np.stack([who[row], one[pair] + start, other[pair] + start, said, number]))
        self._completions += [(self.sets, completion) for completion in candidates]
        self.sets += 1

    def collected(self) -> Comparisons:
        who, first, second, said, number = np.concatenate(self._columns, axis=1)
        return Comparisons(who, first, second, said, number, list(self._labelers), self._completions)

    def _number(self, labeler: int) -> int:
        return self._labelers.setdefault(labeler, len(self._labelers))


def collect_comparisons(candidate_sets: Iterable[Sequence[tuple[int, Ballot]]]) -> Comparisons:
    """From the ballots on each candidate set, each with its labeler's id."""
    collector = Collector()
    for ballots in candidate_sets:
        collector.add(ballots)
    return collector.collected()


def estimate_reliability(comparisons: Comparisons, *, resamples: int = 20, seed: int = 0) -> Reliability:
    """The most likely abilities over all scores; intervals from resamples of whole candidate sets.

    Scores have the prior N(0, 1), which fixes the scale, and abilities N(1, 1), which fixes the sign: where
    labelers contradict each other, most of them are taken at their word.
    """
    model = _Model(comparisons)
    everything = np.ones(len(comparisons.labeler))
    found = model.fitted(model.start(), everything)
    errors = _errors(model, found, resamples, np.random.default_rng(seed))
    return Reliability(
        comparisons=comparisons,
        ability=found.ability,
        low=found.ability - Z * errors,
        high=found.ability + Z * errors,
        cases=np.bincount(comparisons.labeler, minlength=len(comparisons.labelers)),
        scores=found.scores,
        tie_weight=float(np.exp(found.log_tie)),
    )


def _errors(model: "_Model", found: "_Place", resamples: int, random: np.random.Generator) -> Floats:
    """Standard errors of abilities. Each resample counts each candidate set Poisson(1) times."""
    number = model.comparisons.candidate_set
    drawn = [
        model.fitted(found, random.poisson(1, model.sets)[number].astype(float), rounds=15).ability
        for _again in range(resamples)
    ]
    errors: Floats = np.std(drawn, axis=0, ddof=1)
    return errors


@dataclass(frozen=True)
class _Place:
    ability: Floats
    scores: Floats
    log_tie: float


class _Model:
    """Expectation and maximisation in turns; ``counted`` is how often each comparison counts."""

    def __init__(self, comparisons: Comparisons) -> None:
        self.comparisons = comparisons
        self.set_of = np.array([number for number, _completion in comparisons.completions], dtype=int)
        self.sets = int(self.set_of.max(initial=-1)) + 1
        sizes = np.bincount(self.set_of, minlength=self.sets)
        self.size = int(sizes.max(initial=0))
        # The place of a completion within its set: sets are solved as a stack of small matrices.
        self.within = np.arange(len(self.set_of)) - (np.cumsum(sizes) - sizes)[self.set_of]

    def start(self) -> _Place:
        return _Place(
            np.ones(len(self.comparisons.labelers)), np.zeros(len(self.comparisons.completions)), 0.0
        )

    def fitted(self, place: _Place, counted: Floats, rounds: int = 60) -> _Place:
        for _round in range(rounds):
            scores, covariance = self._expected(place, counted)
            before, place = (
                place,
                self._most_likely(_Place(place.ability, scores, place.log_tie), covariance, counted),
            )
            if np.abs(place.ability - before.ability).max(initial=0) < 1e-3:
                break
        return place

    def _expected(self, place: _Place, counted: Floats) -> tuple[Floats, Floats]:
        """What the scores of each set may be: a normal distribution around the likeliest (Laplace)."""
        said, size = self.comparisons, self.size
        ability = place.ability[said.labeler]
        win, loss, _tie = _chances(
            ability * (place.scores[said.first] - place.scores[said.second]), place.log_tie
        )
        slope = counted * ability * (said.outcome - win + loss) / 2
        bend = counted * ability**2 * (win + loss - (win - loss) ** 2) / 4
        gradient = np.zeros((self.sets, size))
        gradient[self.set_of, self.within] = (
            np.bincount(said.first, slope, len(self.set_of))
            - np.bincount(said.second, slope, len(self.set_of))
            - place.scores
        )
        first, second = self.within[said.first], self.within[said.second]
        curvature = np.zeros(self.sets * size * size)
        for row, column, sign in [
            (first, first, 1),
            (second, second, 1),
            (first, second, -1),
            (second, first, -1),
        ]:
            cell = (said.candidate_set * size + row) * size + column
            curvature += sign * np.bincount(cell, bend, len(curvature))
        covariance = np.linalg.inv(curvature.reshape(self.sets, size, size) + np.eye(size))
        step = np.einsum("sij,sj->si", covariance, gradient)[self.set_of, self.within]
        return place.scores + step, np.asarray(covariance)

    def _most_likely(self, place: _Place, covariance: Floats, counted: Floats) -> _Place:
        """One Newton step of abilities and ties, over what the scores may be."""
        said, number = self.comparisons, self.comparisons.candidate_set
        first, second = self.within[said.first], self.within[said.second]
        spread = np.sqrt(
            covariance[number, first, first]
            + covariance[number, second, second]
            - 2 * covariance[number, first, second]
        )
        middle, ability = place.scores[said.first] - place.scores[said.second], place.ability[said.labeler]
        slope, bend = np.zeros((2, len(middle)))
        tied = tied_bend = 0.0
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            apart = middle + spread * node
            win, loss, tie = _chances(ability * apart, place.log_tie)
            slope += weight * counted * apart * (said.outcome - win + loss) / 2
            bend += weight * counted * apart**2 * (win + loss - (win - loss) ** 2) / 4
            tied += weight * float((counted * ((said.outcome == 0) - tie)).sum())
            tied_bend += weight * float((counted * tie * (1 - tie)).sum())
        labelers = len(place.ability)
        step = (np.bincount(said.labeler, slope, labelers) - (place.ability - 1)) / (
            np.bincount(said.labeler, bend, labelers) + 1
        )
        # Half the size of what is estimated is the farthest that one step can be trusted.
        return _Place(
            place.ability + np.clip(step, -0.5, 0.5),
            place.scores,
            place.log_tie + (tied - place.log_tie) / (tied_bend + 1),
        )


def _chances(apart: Floats, log_tie: float) -> tuple[Floats, Floats, Floats]:
    """That the first wins, that it loses, that they tie (Davidson 1970)."""
    half = apart / 2
    total = np.logaddexp(np.logaddexp(half, -half), log_tie)
    return np.exp(half - total), np.exp(-half - total), np.exp(log_tie - total)
