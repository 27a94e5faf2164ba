"""Do weights help? Reward models from the same votes of a mixed crowd, judged by held-out truth.

``majority``: a row for each pair that more labelers order one way than the other, as most pipelines do.
``unweighted``: every labeler's ranking counts alike, so that a 2–1 pair pulls less than a 3–0 one.
``weighted``: the same, and each ranking weighs as much as its labeler's estimated reliability.

The part ``few_spammers`` is the same with a crowd that most projects would be glad of.
"""

import random
from collections.abc import Iterator
from pathlib import Path

from annotation.labeler_traits import draw_traits
from benchmarks import crowds
from benchmarks.figures import Figure
from benchmarks.lab import say
from benchmarks.paired import difference, means

SETS, HELD_OUT, OVERLAP, LABELERS = 400, 200, 3, 20
SKILLS = (0.2, 4.0)
SPAMMERS = {"": 0.4, "few_spammers": 0.1}
EPOCHS = {"majority": 1, "unweighted": 2, "weighted": 2}
"""The passes that suited each best on seeds 100 and 101: a second one overfits the majority's pairs."""


def facts() -> dict[str, object]:
    return {
        "sets": SETS,
        "held_out": HELD_OUT,
        "overlap": OVERLAP,
        "labelers": LABELERS,
        "skills": SKILLS,
        "spammers_by_part": SPAMMERS,
        "epochs": EPOCHS,
        "settings": crowds.SETTINGS,
    }


def measure(part: str = "", repeats: int = 5) -> Iterator[Figure]:
    """``repeats`` are seeds: of texts, labelers, votes and training alike."""
    if part not in SPAMMERS:
        raise SystemExit(f"There is no part {part}; choose from {', '.join(filter(None, SPAMMERS))}.")
    model, seeds = crowds.tiny_model(), []
    for seed in range(repeats):
        seeds.append(_accuracies(seed, SPAMMERS[part], model))
        say(f"reward_weights {seed + 1}/{repeats}: {seeds[-1]}")
    name = f"reward_{part}" if part else "reward"
    yield from means(name, seeds)
    yield from difference(name, "weighted", "majority", seeds)
    yield from difference(name, "weighted", "unweighted", seeds)
    yield from difference(name, "unweighted", "majority", seeds)


def _accuracies(seed: int, spammers: float, model: Path) -> dict[str, float]:
    rng = random.Random(seed)
    sets = crowds.candidate_sets(SETS + HELD_OUT, seed)
    labelers = draw_traits(LABELERS, rng=rng, skills=SKILLS, spammers=spammers)
    votes = crowds.votes_on(sets[:SETS], labelers, OVERLAP, rng)
    ways = {
        "majority": crowds.by_majority(votes),
        "unweighted": crowds.as_ranked(votes),
        "weighted": crowds.as_ranked(votes, crowds.estimated_weights(votes)),
    }
    return {
        way: crowds.accuracy_of(way, rows, sets[SETS:], seed=seed, epochs=EPOCHS[way], model=model)
        for way, rows in ways.items()
    }
