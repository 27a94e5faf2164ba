from itertools import combinations

from hypothesis import given
from hypothesis.strategies import composite, integers, lists

from trainer.handoff.comparisons import implied_comparisons, implied_ties


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


def test_a_tier_of_three_implies_three_ties():
    assert implied_ties([[4], [1, 3, 2]]) == [(1, 3), (1, 2), (3, 2)]


@given(partitions())
def test_every_two_completions_are_compared_or_tied_unless_both_are_unacceptable(partition):
    tiers, unacceptable = partition
    said = [frozenset(pair) for pair in implied_comparisons(tiers, unacceptable) + implied_ties(tiers)]
    everybody = [pk for tier in tiers for pk in tier] + unacceptable

    unsaid = {frozenset(pair) for pair in combinations(unacceptable, 2)}

    assert len(said) == len(set(said))
    assert set(said) | unsaid == {frozenset(pair) for pair in combinations(everybody, 2)}
    assert not set(said) & unsaid
