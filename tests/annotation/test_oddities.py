import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import data, permutations

from annotation.comparisons import Ballot
from annotation.estimates import Undefined
from annotation.oddities import MARKS, find_oddities, marks_of
from tests.annotation.ballots import ballots

LENGTHS = {1: 100, 2: 200, 3: 400, 4: 800}
HONEST = 19


def mark(ballot, shown=(1, 2, 3, 4), lengths=LENGTHS):
    return dict(zip(MARKS, marks_of(ballot, shown, lengths), strict=True))


def strict(order):
    return Ballot([[pk] for pk in order])


def found_in(odd, *, rankings=60, seconds=None, seed=0):
    """What is found in 19 labelers who order by lot, and a last one who does as ``odd`` says."""
    random = np.random.default_rng(seed)
    habits = [lambda shown: strict(random.permutation(shown).tolist())] * HONEST + [odd]
    sums = np.array(
        [
            np.sum([marks_of(habit(shown), shown, LENGTHS) for shown in shuffles(random, rankings)], axis=0)
            for habit in habits
        ]
    )
    took = [np.exp(random.normal(4, 0.4, rankings)) for _labeler in habits]
    if seconds is not None:
        took[-1] = np.full(rankings, seconds)
    return find_oddities(sums, took)


def shuffles(random, count):
    return [random.permutation([1, 2, 3, 4]).tolist() for _ranking in range(count)]


def by_lot(shown, random=np.random.default_rng(9)):  # noqa: B008
    return strict(random.permutation(shown).tolist())


class TestMarks:
    def test_expect_the_first_shown_to_win_one_time_in_four(self):
        marks = mark(strict([1, 3, 4, 2]))

        assert (marks["first_seen"], marks["first_expected"]) == (1, 0.25)

    def test_expect_more_of_two_that_share_the_first_place(self):
        assert mark(Ballot([[3, 1], [2, 4]]))["first_expected"] == 0.5

    def test_expect_the_order_shown_one_time_in_24(self):
        marks = mark(strict([1, 2, 3, 4]))

        assert (marks["straight_seen"], marks["straight_expected"]) == (1, pytest.approx(1 / 24))

    @given(ballots([1, 2, 3, 4]), data())
    def test_expect_what_happens_on_average_over_all_orders_on_the_screen(self, ballot, data):
        from itertools import permutations as every

        orders = list(every([1, 2, 3, 4]))
        marks = [mark(ballot, shown) for shown in orders]

        for habit in ("first", "straight"):
            seen = np.mean([one[f"{habit}_seen"] for one in marks])
            assert seen == pytest.approx(marks[0][f"{habit}_expected"])

    @given(permutations([1, 2, 3, 4]))
    def test_tell_nothing_of_a_ballot_of_ties_but_that_it_is_one(self, shown):
        marks = mark(Ballot([[1, 2, 3, 4]]), shown)

        assert marks["tied"] == 1
        assert marks["first_cases"] == marks["straight_cases"] == 0

    def test_have_a_positive_slope_where_longer_is_better(self):
        assert mark(strict([4, 3, 2, 1]))["length_xy"] > 0 > mark(strict([1, 2, 3, 4]))["length_xy"]

    def test_do_without_texts_of_unknown_length(self):
        assert mark(strict([4, 3, 2, 1]), lengths={})["length_xx"] == 0


class TestOddities:
    @pytest.mark.parametrize(
        ("habit", "name"),
        [
            (lambda shown: strict([shown[0], *sorted(shown[1:])]), "first"),
            (strict, "straight"),
            (lambda shown: Ballot([shown]), "ties"),
            (lambda shown: strict([4, 3, 2, 1]), "length"),
        ],
        ids=["always the first", "the order shown", "nothing but ties", "the longer the better"],
    )
    def test_stand_out_in_whoever_has_the_habit(self, habit, name):
        found = found_in(habit)[name]

        assert found[-1].stands_out
        assert sum(one.stands_out for one in found[:-1]) <= 1

    def test_stand_out_in_whoever_is_much_too_fast(self):
        found = found_in(by_lot, seconds=2.0)

        assert found["seconds"][-1].stands_out and found["fast"][-1].stands_out
        assert found["seconds"][-1].figure.value == pytest.approx(2)

    def test_seldom_stand_out_among_those_who_have_none(self):
        marked = [
            one.stands_out
            for seed in range(8)
            for name in ("first", "straight", "ties", "length")
            for one in found_in(by_lot, seed=seed)[name]
        ]

        assert np.mean(marked) < 0.01

    def test_hold_their_interval_around_the_figure(self):
        for found in found_in(by_lot).values():
            assert all(one.figure.low <= one.figure.value <= one.figure.high for one in found)

    def test_say_why_they_are_undefined(self):
        alone = find_oddities(np.array([marks_of(Ballot([[1, 2]]), [1, 2], LENGTHS)]), [np.array([3.0])])

        assert alone["first"][0].figure == Undefined("nothing_to_tell")
        assert alone["length"][0].figure == Undefined("too_few_rankings")
        assert not any(one.stands_out for found in alone.values() for one in found)

    def test_of_nobody_are_none(self):
        assert not any(find_oddities(np.zeros((0, len(MARKS))), []).values())
