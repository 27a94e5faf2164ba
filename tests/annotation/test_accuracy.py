from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis.strategies import fractions, lists, permutations

from annotation.accuracy import accuracy_of, share_ordered_alike
from annotation.comparisons import implied_comparisons
from tests.annotation.test_comparisons import partitions

shares = lists(fractions(0, 1), min_size=1, max_size=60)


class TestShareOrderedAlike:
    def test_counts_comparisons(self):
        # 3 > 1 > 2 against 3 > 2 > 1: two of three comparisons are the same.
        assert share_ordered_alike(([[3], [1], [2]], []), ([[3], [2], [1]], [])) == Fraction(2, 3)

    def test_gives_half_for_an_order_that_was_not_given(self):
        answer = ([[1], [2]], [])

        assert share_ordered_alike(answer, ([[1, 2]], [])) == Fraction(1, 2)
        assert share_ordered_alike(answer, ([], [1, 2])) == Fraction(1, 2)

    def test_knows_that_unacceptable_is_worse_than_ranked(self):
        answer = ([[1]], [2])

        assert share_ordered_alike(answer, ([[1], [2]], [])) == 1
        assert share_ordered_alike(answer, ([[2]], [1])) == 0

    def test_takes_any_order_for_what_the_answer_ties(self):
        assert share_ordered_alike(([[1, 2], [3]], []), ([[2], [1], [3]], [])) == 1

    def test_is_undefined_where_the_answer_compares_nothing(self):
        assert share_ordered_alike(([[1, 2]], []), ([[1], [2]], [])) is None

    @given(partitions())
    def test_is_one_for_the_answer_itself_and_zero_for_its_reverse(self, answer):
        assume(implied_comparisons(*answer))
        tiers, unacceptable = answer
        upside_down = ([unacceptable, *tiers[::-1]] if unacceptable else tiers[::-1], [])

        assert share_ordered_alike(answer, answer) == 1
        assert share_ordered_alike(answer, upside_down) == 0

    @given(partitions(), partitions(), permutations(range(9)))
    def test_does_not_depend_on_ids(self, answer, judgement, renamed):
        def rename(partition):
            tiers, unacceptable = partition
            return [[renamed[pk] for pk in tier] for tier in tiers], [renamed[pk] for pk in unacceptable]

        assert share_ordered_alike(answer, judgement) == share_ordered_alike(
            rename(answer), rename(judgement)
        )


class TestAccuracyOf:
    def test_has_the_interval_that_is_published_for_eight_of_ten(self):
        accuracy = accuracy_of([Fraction(1)] * 8 + [Fraction(0)] * 2)

        # Wilson's interval by hand: (8 + 1.9208 ± 1.96 √(8·2/10 + 0.9604)) / (10 + 3.8415).
        assert accuracy.mean == 0.8
        assert (accuracy.low, accuracy.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)

    def test_says_nothing_about_nobody(self):
        assert accuracy_of([]).mean is None

    @given(shares)
    def test_lies_in_its_interval_within_zero_and_one(self, shares):
        accuracy = accuracy_of(shares)

        assert -1e-9 <= accuracy.low <= accuracy.mean + 1e-9
        assert accuracy.mean - 1e-9 <= accuracy.high <= 1 + 1e-9

    @given(shares)
    def test_mirrors_when_right_and_wrong_change_places(self, shares):
        there, back = accuracy_of(shares), accuracy_of([1 - share for share in shares])

        assert back.low == pytest.approx(1 - there.high)
        assert back.high == pytest.approx(1 - there.low)

    @given(shares)
    def test_is_surer_with_more_of_the_same(self, shares):
        few, many = accuracy_of(shares), accuracy_of(shares * 9)

        assert many.mean == pytest.approx(few.mean)
        assert many.high - many.low < few.high - few.low
