from itertools import combinations, permutations
from math import isnan

import pytest
from hypothesis import given
from hypothesis.strategies import composite, integers, lists

from annotation.comparisons import Ballot, Counts, count_comparisons, implied_comparisons, outcome_matrix
from tests.annotation.ballots import elections


@composite
def partitions(draw):
    """Tiers and unacceptable ids: up to nine completions, each on a level from 0 (best) to 4."""
    levels = draw(lists(integers(0, 4), min_size=0, max_size=9))
    tiers = [[pk for pk, level in enumerate(levels) if level == wanted] for wanted in range(4)]
    return [tier for tier in tiers if tier], [pk for pk, level in enumerate(levels) if level == 4]


def test_a_strict_order_of_four_implies_six_comparisons():
    assert implied_comparisons([[3], [1], [4], [2]]) == [(3, 1), (3, 4), (3, 2), (1, 4), (1, 2), (4, 2)]


def test_a_tie_implies_nothing_between_its_members():
    assert implied_comparisons([[1, 2], [3]]) == [(1, 3), (2, 3)]


def test_all_unacceptable_implies_nothing():
    assert implied_comparisons([], [1, 2, 3]) == []


@given(partitions())
def test_each_two_completions_are_compared_at_most_once_and_never_both_ways(partition):
    pairs = [frozenset(pair) for pair in implied_comparisons(*partition)]

    assert len(pairs) == len(set(pairs))


@given(partitions())
def test_unacceptable_loses_to_every_ranked_completion_and_never_wins(partition):
    tiers, unacceptable = partition
    pairs = implied_comparisons(tiers, unacceptable)
    ranked = [pk for tier in tiers for pk in tier]

    assert not {winner for winner, _ in pairs} & set(unacceptable)
    assert {(good, bad) for good in ranked for bad in unacceptable} <= set(pairs)


@given(partitions())
def test_reversing_the_tiers_turns_every_comparison_around(partition):
    tiers, _ = partition
    turned = {(loser, winner) for winner, loser in implied_comparisons(tiers)}

    assert set(implied_comparisons(tiers[::-1])) == turned


@given(partitions())
def test_renaming_the_completions_renames_the_comparisons_and_nothing_else(partition):
    tiers, unacceptable = partition
    renamed = implied_comparisons(
        [[pk + 100 for pk in tier] for tier in tiers], [pk + 100 for pk in unacceptable]
    )

    assert renamed == [(a + 100, b + 100) for a, b in implied_comparisons(tiers, unacceptable)]


class TestBallot:
    def test_says_who_wins_ties_and_loses(self):
        ballot = Ballot([[3], [1, 4]], [2, 5])

        assert [ballot.outcome(*two) for two in [(3, 1), (1, 4), (4, 3), (1, 2)]] == [1, 0, -1, 1]

    def test_says_nothing_of_two_unacceptable_ones_or_of_a_stranger(self):
        ballot = Ballot([[3], [1, 4]], [2, 5])

        assert (ballot.outcome(2, 5), ballot.outcome(3, 9)) == (None, None)

    @given(elections())
    def test_agrees_with_the_matrix_of_all(self, election):
        candidates, cast = election

        outcomes = outcome_matrix(cast, candidates)

        for row, ballot in zip(outcomes, cast, strict=True):
            said = [ballot.outcome(*two) for two in combinations(candidates, 2)]
            assert [None if isnan(one) else one for one in row] == said

    @given(elections())
    def test_wins_are_the_comparisons_that_it_implies(self, election):
        candidates, cast = election
        implied = implied_comparisons(cast[0].tiers, cast[0].unacceptable)

        wins = [two for two in permutations(candidates, 2) if cast[0].outcome(*two) == 1]

        assert sorted(wins) == sorted(implied)


class TestCounts:
    def test_tell_two_against_one_from_three_against_none(self):
        up, down = Ballot([[1], [2]]), Ballot([[2], [1]])

        assert count_comparisons([up, up, down])[1, 2].margin == pytest.approx(1 / 3)
        assert count_comparisons([up, up, up])[1, 2].margin == 1

    def test_gain_nothing_from_a_ballot_that_rejects_everything(self):
        assert count_comparisons([Ballot([], [1, 2])])[1, 2] == Counts()

    def test_weigh_labelers(self):
        counts = count_comparisons([Ballot([[1], [2]], weight=2), Ballot([[1, 2]], weight=0.5)])

        assert counts[1, 2] == Counts(n_win=2, n_lose=0, n_tie=0.5)
