"""The arena's stopping rule, by simulation: how often it names a winner where there is none though somebody
looks after each vote, and how soon it finds one that there is. Nothing here depends on the machine."""

import random
from collections.abc import Iterator
from math import log
from statistics import median

from benchmarks.figures import Figure
from trainer.sequential import log_e_value

SIMULATIONS = 2_000
MOST_VOTES = 2_000
ERROR = 0.05
TIES = 0.2
"""Share of votes that are for neither."""


def figures(repeats: int = 1, simulations: int = SIMULATIONS) -> Iterator[Figure]:
    """The draws are the same ones each time, so once is enough."""
    equal = [votes_until_decided(0.5, seed) for seed in range(simulations)]
    yield Figure("arena_false_winner_rate", sum(one is not None for one in equal) / simulations, "share")
    better = [votes_until_decided(0.6, seed) for seed in range(simulations)]
    found = [votes for votes in better if votes is not None]
    yield Figure("arena_power_at_60", len(found) / simulations, "share")
    yield Figure("arena_votes_at_60", median([one or MOST_VOTES for one in better]), "votes")


def votes_until_decided(rate: float, seed: int) -> int | None:
    """Ties included; None where all of them decided nothing. ``rate``: of the votes that are no ties."""
    rng, wins, losses = random.Random(f"{rate}/{seed}"), 0, 0
    for vote in range(1, MOST_VOTES + 1):
        if rng.random() < TIES:
            continue
        if rng.random() < rate:
            wins += 1
        else:
            losses += 1
        if log_e_value(wins, losses) >= -log(ERROR):
            return vote
    return None
