"""What rankings say about two completions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ballot:
    """One labeler's order of candidates, by completion id: tiers, best first, above what is unacceptable."""

    tiers: Sequence[Sequence[int]]
    unacceptable: Sequence[int] = ()
    weight: float = 1.0
    """How much it counts, such as by its labeler's reliability."""

    def levels(self) -> dict[int, int]:
        """How far below the best tier each completion stands."""
        return {
            completion: level
            for level, tier in enumerate([*self.tiers, self.unacceptable])
            for completion in tier
        }

    def outcome(self, one: int, other: int) -> int | None:
        """1: ``one`` wins, −1: it loses, 0: tie; None where the ballot does not say.

        Of two unacceptable completions it does not say which is better, not even that they are equal.
        """
        levels = self.levels()
        if not {one, other} <= levels.keys() or {one, other} <= set(self.unacceptable):
            return None
        return (levels[other] > levels[one]) - (levels[other] < levels[one])


@dataclass(frozen=True)
class Counts:
    """What all ballots say of two completions: how many, or how much weight, prefer the first."""

    n_win: float = 0
    n_lose: float = 0
    n_tie: float = 0

    @property
    def margin(self) -> float:
        """From −1 (all prefer the second) to 1: 3–0 is 1, 2–1 a third. 0 where nobody says anything."""
        cases = self.n_win + self.n_lose + self.n_tie
        return (self.n_win - self.n_lose) / cases if cases else 0.0


def implied_comparisons(
    tiers: Sequence[Sequence[int]], unacceptable: Sequence[int] = ()
) -> list[tuple[int, int]]:
    """Every (winner, loser) that an ordered partition implies, best winners first.

    Completions that share a tier are tied and imply nothing; unacceptable ones lose to every ranked one
    and imply nothing among themselves.
    """
    levels = [*tiers, unacceptable]
    return [pair for better, worse in combinations(levels, 2) for pair in product(better, worse)]


@cache
def pairs(size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The places of the first and of the second of every two, in the order of ``itertools.combinations``."""
    one, other = np.triu_indices(size, k=1)
    return one, other


def candidates_of(ballots: Iterable[Ballot]) -> list[int]:
    """All completions that any of the ballots names."""
    return sorted({completion for ballot in ballots for completion in ballot.levels()})


def outcome_matrix(ballots: Sequence[Ballot], candidates: Sequence[int]) -> Floats:
    """``Ballot.outcome`` of each ballot (rows) for each two candidates as in ``pairs`` (columns).

    NaN where it does not say.
    """
    places = {completion: place for place, completion in enumerate(candidates)}
    levels = np.full((len(ballots), len(candidates)), np.nan)
    unacceptable = np.zeros(levels.shape, dtype=bool)
    for row, ballot in enumerate(ballots):
        for completion, level in ballot.levels().items():
            levels[row, places[completion]] = level
        unacceptable[row, [places[completion] for completion in ballot.unacceptable]] = True
    one, other = pairs(len(candidates))
    outcomes: Floats = np.sign(levels[:, other] - levels[:, one])
    outcomes[unacceptable[:, one] & unacceptable[:, other]] = np.nan
    return outcomes


def count_comparisons(
    ballots: Sequence[Ballot], candidates: Sequence[int] | None = None
) -> dict[tuple[int, int], Counts]:
    """What the ballots say together of every two candidates, each two once."""
    candidates = candidates_of(ballots) if candidates is None else candidates
    outcomes = outcome_matrix(ballots, candidates)
    weights = np.array([ballot.weight for ballot in ballots])
    wins, losses, ties = (weights @ (outcomes == said) for said in (1, -1, 0))
    return {
        pair: Counts(float(win), float(loss), float(tie))
        for pair, win, loss, tie in zip(combinations(candidates, 2), wins, losses, ties, strict=True)
    }
