"""Which of two policies answers better, as one number and how sure it is."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles

RESAMPLES = 4000


@dataclass(frozen=True)
class WinRate:
    """Share of duels won, a tie counting half, and its 95 % interval."""

    rate: float
    low: float
    high: float
    prompts: int


def win_rate(
    ours: Mapping[int, Sequence[str]],
    theirs: Mapping[int, Sequence[str]],
    appeal: Callable[[str], float],
) -> WinRate:
    """How often an answer of ours beats one of theirs to the same prompt.

    Within a prompt every answer meets every answer; prompts count equally. The interval is a percentile
    bootstrap over prompts (Efron 1979), not over answers, since answers to one prompt are alike.

    :raises ValueError: fewer than two prompts were answered by both.
    """
    both = sorted(ours.keys() & theirs.keys())
    if len(both) < 2:
        raise ValueError(f"A win rate needs two prompts that both answered; there are {len(both)}.")
    rates = [_duels([*map(appeal, ours[key])], [*map(appeal, theirs[key])]) for key in both]
    # The same rates give the same interval.
    rng = random.Random(0)
    resampled = [fmean(rng.choices(rates, k=len(rates))) for _ in range(RESAMPLES)]
    cuts = quantiles(resampled, n=40, method="inclusive")
    rate = fmean(rates)
    # Equal rates give equal means, but for the last digit.
    return WinRate(rate=rate, low=min(cuts[0], rate), high=max(cuts[-1], rate), prompts=len(both))


def _duels(ours: Sequence[float], theirs: Sequence[float]) -> float:
    won = sum((a > b) + 0.5 * (a == b) for a in ours for b in theirs)
    return won / (len(ours) * len(theirs))
