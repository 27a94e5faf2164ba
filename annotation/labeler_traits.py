"""Labelers of known skill, bias, fatigue and spam, so that what is estimated about them can be compared with
the truth. They see an answer's text and its place on the screen, nothing else."""

import hashlib
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean

from annotation.simulated_labelers import appeal

Truth = Callable[[str], float]
"""How good an answer is: what labelers try to see."""

RANKINGS_A_DAY = 100


@dataclass(frozen=True, kw_only=True)
class Traits:
    """A labeler prefers the better of two answers with odds exp(skill · difference): Bradley–Terry with the
    skill as ability. Biases add to the log odds, whatever the skill."""

    skill: float
    position_bias: float = 0.0
    """How much better the first place looks than the last."""
    length_bias: float = 0.0
    """How much better the longest answer looks than the shortest."""
    fatigue: float = 0.0
    """After a day's rankings the skill is exp(−fatigue) of what it was."""
    is_spammer: bool = False
    """Hands in what the screen shows, in the order it shows it."""

    def skill_after(self, done: int) -> float:
        return 0.0 if self.is_spammer else self.skill * math.exp(-self.fatigue * done / RANKINGS_A_DAY)

    def reliability(self, rankings: int) -> float:
        """What an estimate from so many of their rankings should find: the skill they had on average."""
        return fmean(self.skill_after(done) for done in range(max(rankings, 1)))


def draw_traits(
    count: int,
    *,
    rng: random.Random,
    skills: tuple[float, float] = (0.3, 3.0),
    position_bias: float = 0.0,
    length_bias: float = 0.0,
    fatigue: float = 0.0,
    spammers: float = 0.0,
) -> list[Traits]:
    """``count`` labelers: skills from the lowest to the highest by equal factors, in no order; every bias and
    the fatigue up to what is given; of them the share of ``spammers``."""
    low, high = map(math.log, skills)
    steps = [index / max(count - 1, 1) for index in range(count)]
    rng.shuffle(steps)
    spamming = set(rng.sample(range(count), round(spammers * count)))
    return [
        Traits(
            skill=math.exp(low + step * (high - low)),
            position_bias=rng.uniform(0, position_bias),
            length_bias=rng.uniform(-length_bias, length_bias),
            fatigue=rng.uniform(0, fatigue),
            is_spammer=number in spamming,
        )
        for number, step in enumerate(steps)
    ]


def rank_as_seen(
    traits: Traits,
    shown: Sequence[int],
    texts: Mapping[int, str],
    *,
    truth: Truth,
    done: int,
    rng: random.Random,
    tie_width: float = 0.1,
) -> list[list[int]]:
    """Completion ids in tiers, best first, as this labeler orders them after ``done`` rankings.

    What differs by less than ``tie_width`` to them is tied. Noise is Gumbel's: without ties and biases the
    order is Plackett–Luce in skill · truth, every two answers in it Bradley–Terry.
    """
    if traits.is_spammer:
        return [[completion_id] for completion_id in shown]
    skill = traits.skill_after(done)
    lengths = _from_0_to_1({one: len(texts[one]) for one in shown})
    places = _from_0_to_1({one: -place for place, one in enumerate(shown)})
    seen = {
        one: skill * truth(texts[one])
        + traits.position_bias * places[one]
        + traits.length_bias * lengths[one]
        + _gumbel(rng)
        for one in shown
    }
    tiers: list[list[int]] = []
    for one in sorted(seen, key=lambda one: -seen[one]):
        if tiers and seen[tiers[-1][0]] - seen[one] < tie_width:
            tiers[-1].append(one)
        else:
            tiers.append([one])
    return tiers


def seconds_for(traits: Traits, texts: Mapping[int, str], *, rng: random.Random) -> float:
    """What the page would measure: about 20 characters are read in a second; a spammer reads none."""
    if traits.is_spammer:
        return round(rng.uniform(1, 4), 1)
    return round(sum(map(len, texts.values())) / 20 * rng.lognormvariate(0, 0.4) + 5, 1)


def by_appeal(text: str) -> float:
    """The rule of the sample campaign; its points are coarse."""
    return appeal(text) / 3


def by_lot(text: str) -> float:
    """A standard normal number that the text hides: for campaigns made to measure with."""
    lot = int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")
    return NormalDist().inv_cdf((lot + 0.5) / 2**48)


TRUTHS: dict[str, Truth] = {"appeal": by_appeal, "lot": by_lot}


def _gumbel(rng: random.Random) -> float:
    return -math.log(rng.expovariate(1.0) or 1e-300)


def _from_0_to_1(values: Mapping[int, float]) -> dict[int, float]:
    least, most = min(values.values()), max(values.values())
    return {one: (value - least) / ((most - least) or 1) for one, value in values.items()}
