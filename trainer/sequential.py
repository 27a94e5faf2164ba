"""Which of two is better, told as soon as the votes suffice, however often one looks at them.

A vote for one of two equals is a fair coin. The e-value is what a gambler has who began with 1 and bet on
every vote that the coin is not fair; against a fair coin nobody's fortune is ever likely to be large (Ville
1939): it reaches 1 / error with a chance of at most ``error``, at whatever moments one looks, so one may look
after each vote. Which bets: a mixture over all coins (Robbins 1970; Howard et al. 2021, "Time-uniform,
nonparametric, nonasymptotic confidence sequences"; Johari et al. 2022, "Always valid inference").
"""

import math
from dataclasses import dataclass

SPREAD = 8.0
"""Of the mixture, Beta(SPREAD, SPREAD): it bets on win rates around 0.5 ± 0.12, which is where two
checkpoints of one lineage usually stand. Any value is valid; this one is soon sure at 0.6."""


@dataclass(frozen=True)
class Verdict:
    """Wins against losses, so far."""

    wins: int
    losses: int
    e_value: float
    low: float
    high: float
    error: float

    @property
    def is_decided(self) -> bool:
        return self.e_value >= 1 / self.error

    @property
    def leader(self) -> int:
        """1: the first; −1: the other; 0: neither."""
        return (self.wins > self.losses) - (self.wins < self.losses)


def look(wins: int, losses: int, error: float = 0.05) -> Verdict:
    """What the votes say so far; ties are left out, since they are for neither."""
    low, high = confidence_sequence(wins, losses, error)
    # Beyond any error that somebody may ask for, and still a number that JSON can hold.
    e_value = math.exp(min(log_e_value(wins, losses), 600))
    return Verdict(wins, losses, e_value, low, high, error)


def log_e_value(wins: int, losses: int, rate: float = 0.5) -> float:
    """The logarithm of the e-value against the claim that the win rate is ``rate``."""
    mixture = _log_beta(SPREAD + wins, SPREAD + losses) - _log_beta(SPREAD, SPREAD)
    return mixture - wins * math.log(rate) - losses * math.log1p(-rate)


def confidence_sequence(wins: int, losses: int, error: float) -> tuple[float, float]:
    """An interval for the win rate that holds at all moments together: the rates whose e-value stays below
    1 / error."""
    middle = (wins + SPREAD) / (wins + losses + 2 * SPREAD)
    bound = -math.log(error)

    def edge(inside: float, outside: float) -> float:
        for _halving in range(60):
            middle = (inside + outside) / 2
            is_inside = 0 < middle < 1 and log_e_value(wins, losses, middle) < bound
            inside, outside = (middle, outside) if is_inside else (inside, middle)
        return outside

    return edge(middle, 0.0), edge(middle, 1.0)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
