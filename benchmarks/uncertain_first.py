"""Does asking first where the reward model is unsure help? The same budget of rankings, chosen two ways.

A first reward model learns from some candidate sets in the order they came. It scores the pool of the others;
labelers rank as many again: ``oldest`` in the order they came, ``uncertain`` by ``trainer.uncertainty``, as
the campaign's option does. A model trained from scratch on both lots is judged by held-out truth.
"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from annotation.labeler_traits import draw_traits
from benchmarks import crowds
from benchmarks.figures import Figure
from benchmarks.lab import say
from benchmarks.paired import difference, means
from trainer.uncertainty import asking_priority

FIRST, ASKED, POOL, HELD_OUT = 150, 150, 600, 200
LABELERS = 20
SKILLS = (1.0, 3.0)
EPOCHS = 2


def facts() -> dict[str, object]:
    return {
        "first": FIRST,
        "asked": ASKED,
        "pool": POOL,
        "held_out": HELD_OUT,
        "labelers": LABELERS,
        "skills": SKILLS,
        "settings": crowds.SETTINGS,
    }


def measure(part: str = "", repeats: int = 5) -> Iterator[Figure]:
    """``repeats`` are seeds: of texts, labelers, votes and training alike."""
    model, seeds = crowds.tiny_model(), []
    for seed in range(repeats):
        seeds.append(_accuracies(seed, model))
        say(f"uncertain_first {seed + 1}/{repeats}: {seeds[-1]}")
    yield from means("selection", seeds)
    yield from difference("selection", "uncertain", "oldest", seeds)


def _accuracies(seed: int, model: Path) -> dict[str, float]:
    rng = random.Random(seed)
    sets = crowds.candidate_sets(FIRST + POOL + HELD_OUT, seed)
    first, pool, held_out = sets[:FIRST], sets[FIRST : FIRST + POOL], sets[FIRST + POOL :]
    labelers = draw_traits(LABELERS, rng=rng, skills=SKILLS)

    def accuracy(name: str, ranked: Sequence[crowds.CandidateSet]) -> float:
        rows = crowds.as_ranked(crowds.votes_on(ranked, labelers, 1, rng))
        return crowds.accuracy_of(name, rows, held_out, seed=seed, epochs=EPOCHS, model=model)

    start = accuracy("start", first)
    scores = crowds.scores("start", pool)
    unsure = sorted(pool, key=lambda one: -asking_priority(scores[one.number]))
    return {
        "start": start,
        "oldest": accuracy("oldest", [*first, *pool[:ASKED]]),
        "uncertain": accuracy("uncertain", [*first, *unsure[:ASKED]]),
    }
