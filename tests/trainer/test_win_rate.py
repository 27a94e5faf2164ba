import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.win_rate import win_rate

ANSWERS = st.dictionaries(
    st.integers(1, 9), st.lists(st.text("ab", max_size=4), min_size=1, max_size=3), min_size=2, max_size=9
)


class TestWinRate:
    def test_counts_a_tie_half(self):
        won = win_rate({1: ["aa", "a"], 2: ["a"]}, {1: ["a"], 2: ["aa"]}, len)

        assert won.rate == pytest.approx((0.75 + 0) / 2)
        assert won.prompts == 2

    def test_counts_prompts_equally_however_often_they_were_answered(self):
        won = win_rate({1: ["aa"] * 50, 2: ["a"]}, {1: ["a"], 2: ["aa"]}, len)

        assert won.rate == 0.5

    @given(ours=ANSWERS)
    def test_is_one_half_against_itself(self, ours):
        won = win_rate(ours, ours, len)

        assert won.rate == pytest.approx(0.5)

    @given(ours=ANSWERS, theirs=ANSWERS)
    def test_turned_around_is_what_is_left_of_one(self, ours, theirs):
        theirs = {**theirs, **{key: theirs.get(key, ["a"]) for key in ours}}

        won, lost = win_rate(ours, theirs, len), win_rate(theirs, ours, len)

        assert won.rate + lost.rate == pytest.approx(1)
        assert won.low <= won.rate <= won.high

    def test_is_surer_with_more_prompts(self):
        few = {key: ["aa" if key % 2 else ""] for key in range(6)}
        many = {key: ["aa" if key % 2 else ""] for key in range(60)}
        them = {key: ["a"] for key in range(60)}

        narrow, wide = win_rate(many, them, len), win_rate(few, them, len)

        assert narrow.high - narrow.low < wide.high - wide.low

    def test_covers_the_truth_about_as_often_as_it_says(self):
        rng = random.Random(0)
        them = {key: ["a"] for key in range(40)}
        covered = 0
        for _ in range(100):
            won = win_rate({key: ["aa" if rng.random() < 0.7 else ""] for key in range(40)}, them, len)
            covered += won.low <= 0.7 <= won.high

        assert covered >= 85

    def test_refuses_a_single_prompt(self):
        with pytest.raises(ValueError, match="there are 1"):
            win_rate({1: ["a"]}, {1: ["b"], 2: ["c"]}, len)
