"""Votes of a simulated crowd, and the rows that each way of counting makes of them."""

import random
from collections import Counter

import pytest

from annotation.labeler_traits import Traits
from benchmarks import crowds, texts

PEOPLE = [Traits(skill=50.0)] * 5


@pytest.fixture
def sets(monkeypatch):
    monkeypatch.delenv("BENCH_DATA", raising=False)
    return crowds.candidate_sets(8, seed=1)


def vote(one, labeler, *order):
    a = [*one.answers]
    return crowds.Vote(one, labeler, [[a[place] for place in tier] for tier in order])


def pairs(rows):
    """(winner, loser) as places, with their weights."""
    first = min(completion["id"] for row in rows for completion in row.completions)
    return {(row.tiers[0][0] - first, row.tiers[1][0] - first): row.weight for row in rows}


class TestVotesOn:
    def test_ask_different_people_and_all_as_often(self, sets):
        votes = crowds.votes_on(sets, PEOPLE, 5, random.Random(0))
        few = crowds.votes_on(sets[:5], PEOPLE, 2, random.Random(0))

        assert len({(one.candidate_set.number, one.labeler) for one in votes}) == 8 * 5
        assert set(Counter(one.labeler for one in few).values()) == {2}

    def test_follow_the_truth_where_skill_is_high(self, sets):
        one = sets[0]
        best_first = sorted(one.answers, key=lambda pk: -texts.praise(one.answers[pk]))

        [seen] = crowds.votes_on([one], PEOPLE[:1], 1, random.Random(0))

        quality = [[texts.praise(one.answers[pk]) for pk in tier] for tier in seen.tiers]
        assert max(quality[0]) == texts.praise(one.answers[best_first[0]])


class TestByMajority:
    def test_keeps_what_more_say_and_drops_what_is_even(self, sets):
        rows = crowds.by_majority(
            [vote(sets[0], 1, [0], [1], [2, 3]), vote(sets[0], 2, [0], [1], [2], [3])]
            + [vote(sets[0], 3, [1], [0], [3], [2])]
        )

        assert set(pairs(rows)) == {(0, 1), (0, 2), (0, 3), (1, 2), (1, 3)}
        assert sum(row.weight for row in rows) == pytest.approx(1)

    def test_shows_a_pair_its_own_two_answers(self, sets):
        rows = crowds.by_majority([vote(sets[1], 1, [3], [0], [1], [2])])

        assert all(len(row.completions) == 2 for row in rows)
        assert set(pairs(rows)) == {(3, 0), (3, 1), (3, 2), (0, 1), (0, 2), (1, 2)}


class TestAsRanked:
    def test_weighs_each_vote_by_its_labeler(self, sets):
        votes = [vote(sets[0], 1, [0], [1], [2], [3]), vote(sets[0], 2, [3], [1], [2], [0])]

        assert [row.weight for row in crowds.as_ranked(votes)] == [1, 1]
        assert [row.weight for row in crowds.as_ranked(votes, {1: 1.5, 2: 0.0})] == [1.5, 0.0]


class TestTheTruth:
    def test_is_in_the_words_of_an_answer(self, sets):
        one = sets[0]

        tiers = one.true_tiers()

        quality = [texts.praise(one.answers[tier[0]]) for tier in tiers]
        assert quality == sorted(set(quality), reverse=True)
        assert sorted(pk for tier in tiers for pk in tier) == sorted(one.answers)
