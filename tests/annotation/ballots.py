"""Ballots for tests: any that Hypothesis thinks of, and those of labelers whose worth is known."""

from dataclasses import dataclass

import numpy as np
from hypothesis.strategies import composite, integers, lists, permutations

from annotation.comparisons import Ballot


@composite
def ballots(draw, candidates, unacceptable=True):
    """An order of all the candidates: each on a level from 0 (best) to 3, or unacceptable."""
    highest = 4 if unacceptable else 3
    levels = draw(lists(integers(0, highest), min_size=len(candidates), max_size=len(candidates)))
    tiers = [
        [pk for pk, level in zip(candidates, levels, strict=True) if level == wanted] for wanted in range(4)
    ]
    rejected = [pk for pk, level in zip(candidates, levels, strict=True) if level == 4]
    return Ballot([tier for tier in tiers if tier], rejected)


@composite
def elections(draw):
    """Candidates, and one to five ballots on them."""
    candidates = list(range(1, draw(integers(2, 5)) + 1))
    return candidates, draw(lists(ballots(candidates), min_size=1, max_size=5))


@composite
def renamings(draw, candidates):
    """New ids, which need not be in the order of the old ones."""
    return dict(zip(candidates, draw(permutations([10 * pk for pk in candidates])), strict=True))


def renamed(ballot, names):
    return Ballot(
        [[names[pk] for pk in tier] for tier in ballot.tiers],
        [names[pk] for pk in ballot.unacceptable],
        ballot.weight,
    )


@dataclass
class Crowd:
    """Labelers of known worth, and what they said of sets of four candidates."""

    candidate_sets: list
    """For each set, who ranked it and how."""
    accuracy: np.ndarray
    """By labeler: how often they put the better of two candidates first."""


def crowd(seed, *, labelers=40, sets=1500, overlap=3, spammers=4):
    """Skill differs, some prefer what they are shown first, some tire, and the first few do not read."""
    random = np.random.default_rng(seed)
    skill = np.exp(random.normal(0, 0.7, labelers))
    skill[:spammers] = 0
    likes_first = np.where(random.random(labelers) < 0.2, random.uniform(0, 2, labelers), 0)
    tires = np.where(random.random(labelers) < 0.3, random.uniform(0, 1, labelers), 0)

    def appeal(labeler, quality, progress):
        said = skill[labeler] * (1 - tires[labeler] * progress) * quality + random.gumbel(0, 1, quality.shape)
        shown_first = random.integers(0, 4, len(quality))
        said[np.arange(len(quality)), shown_first] += likes_first[labeler]
        return said

    candidate_sets = []
    for number in range(sets):
        who = random.choice(labelers, overlap, replace=False)
        quality = np.repeat(random.normal(0, 1, (1, 4)), overlap, axis=0)
        said = np.concatenate([appeal(one, quality[:1], np.array([[number / sets]])) for one in who])
        candidate_sets.append([(int(one), _ballot(row)) for one, row in zip(who, said, strict=True)])
    return Crowd(candidate_sets, np.array([_accuracy(appeal, one, random) for one in range(labelers)]))


def _ballot(appeal):
    """Candidates of nearly equal appeal are tied."""
    order = np.argsort(-appeal)
    tiers = [[int(order[0])]]
    for better, worse in zip(order, order[1:], strict=False):
        if appeal[better] - appeal[worse] < 0.15:
            tiers[-1].append(int(worse))
        else:
            tiers.append([int(worse)])
    return Ballot(tiers)


def _accuracy(appeal, labeler, random):
    quality = random.normal(0, 1, (4000, 4))
    said = appeal(labeler, quality, random.random((4000, 1)))
    one, other = np.triu_indices(4, k=1)
    right = (quality[:, one] > quality[:, other]) == (said[:, one] > said[:, other])
    return right.mean()
