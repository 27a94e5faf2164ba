"""Simulated labelers are who they are said to be."""

import math
import random
from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.labeler_traits import Traits, by_lot, draw_traits, rank_as_seen, seconds_for

TEXTS = {1: "better", 2: "worse"}
QUALITY = {"better": 0.7, "worse": -0.3}
SAME = {1: "as good", 2: "as good"}


def share_of_first(traits, texts=TEXTS, shown=(1, 2), done=0, quality=QUALITY, times=4000):
    """How often completion 1 comes out ahead."""
    rng = random.Random(5)

    def ranked():
        truth = {**quality, "as good": 0.0, "as good, at length": 0.0}.__getitem__
        return rank_as_seen(traits, list(shown), texts, truth=truth, done=done, rng=rng, tie_width=0)

    return fmean(ranked()[0] == [1] for _ in range(times))


def odds(log_odds):
    return 1 / (1 + math.exp(-log_odds))


class TestSkill:
    @pytest.mark.parametrize("skill", [0.0, 0.5, 2.0])
    def test_is_the_ability_of_bradley_and_terry(self, skill):
        assert share_of_first(Traits(skill=skill)) == pytest.approx(odds(skill * 1.0), abs=0.03)

    def test_tires(self):
        tired = share_of_first(Traits(skill=2.0, fatigue=0.7), done=100)

        assert tired == pytest.approx(odds(2.0 * math.exp(-0.7)), abs=0.03)

    def test_is_reported_as_it_was_on_average(self):
        traits = Traits(skill=2.0, fatigue=1.0)

        assert traits.reliability(1) == 2.0
        assert 2.0 / math.e < traits.reliability(100) < 2.0
        assert Traits(skill=2.0, is_spammer=True).reliability(10) == 0


class TestBias:
    @pytest.mark.parametrize(("shown", "log_odds"), [((1, 2), 0.8), ((2, 1), -0.8)])
    def test_of_position_favors_what_stands_first(self, shown, log_odds):
        traits = Traits(skill=1.0, position_bias=0.8)

        assert share_of_first(traits, SAME, shown) == pytest.approx(odds(log_odds), abs=0.03)

    @pytest.mark.parametrize("bias", [0.8, -0.8])
    def test_of_length_favors_what_is_long_or_short(self, bias):
        texts = {1: "as good, at length", 2: "as good"}

        found = share_of_first(Traits(skill=1.0, length_bias=bias), texts)

        assert found == pytest.approx(odds(bias), abs=0.03)


class TestSpammer:
    def test_hands_in_what_is_shown(self):
        spammer = Traits(skill=3.0, is_spammer=True)

        tiers = rank_as_seen(spammer, [2, 1], TEXTS, truth=len, done=0, rng=random.Random(0))

        assert tiers == [[2], [1]]

    def test_reads_nothing(self):
        rng, long = random.Random(0), {1: "word " * 200, 2: "word " * 200}

        assert seconds_for(Traits(skill=1.0, is_spammer=True), long, rng=rng) < 5
        assert seconds_for(Traits(skill=1.0), long, rng=rng) > 10


class TestRankAsSeen:
    @given(
        st.dictionaries(st.integers(), st.text(), min_size=1, max_size=9),
        st.floats(0, 5),
        st.floats(0, 2),
        st.integers(),
    )
    def test_names_every_completion_once(self, texts, skill, tie_width, seed):
        traits = Traits(skill=skill, position_bias=1.0, length_bias=1.0)

        tiers = rank_as_seen(
            traits,
            list(texts),
            texts,
            truth=by_lot,
            done=3,
            rng=random.Random(seed),
            tie_width=tie_width,
        )

        assert sorted(one for tier in tiers for one in tier) == sorted(texts)

    def test_ties_what_looks_alike(self):
        wide = {"truth": by_lot, "done": 0, "rng": random.Random(0), "tie_width": 1e9}

        assert rank_as_seen(Traits(skill=1.0), [1, 2], TEXTS, **wide) in ([[1, 2]], [[2, 1]])


class TestDrawTraits:
    @given(st.integers(1, 60), st.floats(0, 1), st.integers())
    def test_spreads_skills_from_the_lowest_to_the_highest(self, count, spammers, seed):
        drawn = draw_traits(count, rng=random.Random(seed), skills=(0.5, 2.0), spammers=spammers)

        skills = sorted(traits.skill for traits in drawn)
        assert skills[0] == pytest.approx(0.5) and skills[-1] <= 2.0 + 1e-9
        assert len(set(skills)) == count
        assert sum(traits.is_spammer for traits in drawn) == round(spammers * count)

    def test_draws_the_same_people_from_the_same_seed(self):
        biased = {"position_bias": 1.0, "length_bias": 1.0, "fatigue": 1.0, "spammers": 0.2}

        first, again = (draw_traits(9, rng=random.Random(4), **biased) for _ in range(2))

        assert first == again
        assert len({traits.position_bias for traits in first}) == 9


class TestByLot:
    def test_is_standard_normal_and_the_same_every_time(self):
        drawn = [by_lot(f"answer {number}") for number in range(2000)]

        assert fmean(drawn) == pytest.approx(0, abs=0.1)
        assert pstdev(drawn) == pytest.approx(1, abs=0.1)
        assert drawn[0] == by_lot("answer 0")
