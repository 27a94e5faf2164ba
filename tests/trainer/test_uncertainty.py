"""What a reward model is unsure of is asked first."""

import math
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.uncertainty import MOST, asking_priority

scores = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=9)


class TestAskingPriority:
    @given(scores)
    def test_fits_the_column(self, scores):
        assert 0 <= asking_priority(scores) <= MOST < 2**15

    @given(scores, st.randoms())
    def test_knows_no_order_of_candidates(self, scores, rng):
        shuffled = rng.sample(scores, len(scores))

        assert asking_priority(shuffled) == asking_priority(scores)

    @given(st.lists(st.integers(-20, 20), min_size=2, max_size=9), st.integers(-1000, 1000))
    def test_knows_differences_only(self, scores, shift):
        assert asking_priority([score + shift for score in scores]) == asking_priority(scores)

    @given(scores, st.floats(1, 100))
    def test_never_rises_when_the_model_tells_candidates_further_apart(self, scores, factor):
        assert asking_priority([factor * score for score in scores]) <= asking_priority(scores)

    @given(st.floats(-1e6, 1e6), st.integers(2, 9))
    def test_is_the_most_where_all_look_alike(self, score, count):
        assert asking_priority([score] * count) == MOST

    @pytest.mark.parametrize("far", [[0.0, 50.0], [-1e300, 1e300], [0.0, 100.0, 200.0]])
    def test_is_nothing_where_the_order_is_plain(self, far):
        assert asking_priority(far) == 0

    def test_is_four_p_times_one_minus_p_of_each_pair(self):
        def doubt(margin):
            p = 1 / (1 + math.exp(-margin))
            return 4 * p * (1 - p)

        assert asking_priority([0, 1, 3]) == round(100 * fmean([doubt(1), doubt(2), doubt(3)])) == 46

    @pytest.mark.parametrize("few", [[], [1.0]])
    def test_is_nothing_without_a_pair(self, few):
        assert asking_priority(few) == 0
