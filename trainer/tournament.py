"""How good each of many is, from votes between two at a time; ties, and what a style is worth, included.

The model is Bradley and Terry's with Davidson's ties (1970, "On extending the Bradley–Terry model to
accommodate ties"): P(one wins) ∝ exp(Δ / 2), P(other wins) ∝ exp(−Δ / 2), P(tie) ∝ ν. Δ is the difference of
their scores and, where style is controlled for, a linear term of what differs in style (Li, Angelopoulos and
Chiang 2024, "Does style matter?", Chatbot Arena's style control).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Z = 1.959964
PRIOR = 0.05
"""Precision of a normal prior on every number: no vote but wins would else have an infinite score."""


@dataclass(frozen=True)
class Vote:
    one: int
    other: int
    outcome: int
    """1: one is better; −1: the other is; 0: a tie, or both are bad."""
    style: tuple[float, ...] = ()
    """By how much one has more of each trait than the other, from −1 to 1."""


@dataclass(frozen=True)
class Fit:
    """Scores by contestant, in logits around 0; how they vary together; ν; what a trait is worth."""

    contestants: tuple[int, ...]
    scores: dict[int, float]
    covariance: Floats
    tie: float
    style: tuple[float, ...]

    def interval(self, one: int) -> tuple[float, float]:
        place = self.contestants.index(one)
        reach = Z * math.sqrt(max(0.0, self.covariance[place, place]))
        return self.scores[one] - reach, self.scores[one] + reach

    def win_rate(self, one: int, other: int) -> tuple[float, float, float]:
        """What one is expected to get of a vote against the other, a tie counting half, with its 95 %
        interval; of answers in the same style, where style was controlled for."""
        a, b = self.contestants.index(one), self.contestants.index(other)
        variance = self.covariance[a, a] + self.covariance[b, b] - 2 * self.covariance[a, b]
        lead, reach = self.scores[one] - self.scores[other], Z * math.sqrt(max(0.0, variance))
        return self._share(lead), self._share(lead - reach), self._share(lead + reach)

    def _share(self, lead: float) -> float:
        win, loss = math.exp(lead / 2), math.exp(-lead / 2)
        return (win + self.tie / 2) / (win + loss + self.tie)


def fit(votes: Sequence[Vote], contestants: Sequence[int]) -> Fit:
    """The likeliest scores. The votes' order does not matter, nor which of two is called one."""
    count = len(contestants)
    leads = _leads(votes, contestants)
    outcomes = np.array([vote.outcome for vote in votes], dtype=np.int64)
    found = _climb(leads, outcomes)
    information = _information(leads, found)
    covariance = np.linalg.inv(information)[:count, :count]
    # Only differences of scores mean something: around their mean.
    centre = np.eye(count) - 1 / count
    scores = centre @ found[:count]
    return Fit(
        contestants=tuple(contestants),
        scores=dict(zip(contestants, map(float, scores), strict=True)),
        covariance=centre @ covariance @ centre,
        tie=math.exp(found[-1]),
        style=tuple(map(float, found[count:-1])),
    )


def _leads(votes: Sequence[Vote], contestants: Sequence[int]) -> Floats:
    """(votes, parameters but the tie's): what Δ is linear in."""
    place = {contestant: index for index, contestant in enumerate(contestants)}
    traits = len(votes[0].style) if votes else 0
    leads = np.zeros((len(votes), len(contestants) + traits))
    for row, vote in enumerate(votes):
        leads[row, place[vote.one]] += 1
        leads[row, place[vote.other]] -= 1
        leads[row, len(contestants) :] = vote.style
    return leads


def _climb(leads: Floats, outcomes: NDArray[np.int64]) -> Floats:
    """Newton's method on a concave likelihood, with shorter steps where a whole one leads down."""
    found = np.zeros(leads.shape[1] + 1)
    for _step in range(100):
        step = np.linalg.solve(_information(leads, found), _slope(leads, outcomes, found))
        before = _likelihood(leads, outcomes, found)
        while _likelihood(leads, outcomes, found + step) < before - 1e-12 and np.abs(step).max() > 1e-10:
            step /= 2
        found = found + step
        if np.abs(step).max() < 1e-9:
            break
    return found


def _chances(leads: Floats, found: Floats) -> Floats:
    """(votes, 3): of a loss, a tie and a win."""
    lead = leads @ found[:-1]
    weights = np.stack([-lead / 2, np.full_like(lead, found[-1]), lead / 2], axis=1)
    weights = np.exp(weights - weights.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _likelihood(leads: Floats, outcomes: NDArray[np.int64], found: Floats) -> float:
    chances = _chances(leads, found)[np.arange(len(outcomes)), outcomes + 1]
    return float(np.log(np.maximum(chances, 1e-300)).sum() - PRIOR / 2 * (found**2).sum())


def _slope(leads: Floats, outcomes: NDArray[np.int64], found: Floats) -> Floats:
    chances = _chances(leads, found)
    surprise = outcomes / 2 - (chances[:, 2] - chances[:, 0]) / 2
    ties = (outcomes == 0) - chances[:, 1]
    return np.append(leads.T @ surprise, ties.sum()) - PRIOR * found


def _information(leads: Floats, found: Floats) -> Floats:
    """Minus the second derivative: the covariance of (±1/2 or 0, is a tie), through what Δ is linear in."""
    chances = _chances(leads, found)
    mean, tie = (chances[:, 2] - chances[:, 0]) / 2, chances[:, 1]
    own = (chances[:, 2] + chances[:, 0]) / 4 - mean**2
    size = leads.shape[1]
    information = np.empty((size + 1, size + 1))
    information[:size, :size] = leads.T @ (own[:, None] * leads)
    information[:size, size] = information[size, :size] = leads.T @ (-mean * tie)
    information[size, size] = (tie * (1 - tie)).sum()
    return information + PRIOR * np.eye(size + 1)


def style_of(text: str) -> tuple[int, int, int, int]:
    """Of an answer: its characters, and the headings, list items and bold passages in it."""
    lines = [line.lstrip() for line in text.splitlines()]
    headings = sum(line.startswith(("# ", "## ", "### ", "#### ")) for line in lines)
    items = sum(line.startswith(("- ", "* ", "+ ")) or _is_numbered(line) for line in lines)
    return len(text), headings, items, text.count("**") // 2


def style_difference(one: str, other: str, *, only_length: bool = False) -> tuple[float, ...]:
    """By trait (a − b) / (a + b); 0 where neither has any."""
    pairs = list(zip(style_of(one), style_of(other), strict=True))[: 1 if only_length else None]
    return tuple((a - b) / (a + b) if a + b else 0.0 for a, b in pairs)


def _is_numbered(line: str) -> bool:
    number, dot, _rest = line.partition(". ")
    return bool(dot) and number.isdecimal() and len(number) <= 3
