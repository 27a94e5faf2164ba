"""One may look after each vote, and is still seldom told of a winner where there is none."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.sequential import confidence_sequence, log_e_value, look

votes = st.integers(0, 400)


class TestTheEValue:
    @given(votes, votes)
    def test_is_a_fair_bet_on_the_next_vote_of_a_fair_coin(self, wins, losses):
        import math

        now = log_e_value(wins, losses)
        after = [log_e_value(wins + 1, losses), log_e_value(wins, losses + 1)]

        assert sum(math.exp(one - now) for one in after) / 2 == pytest.approx(1)

    @given(votes, votes)
    def test_is_the_same_from_both_sides(self, wins, losses):
        one, other = look(wins, losses), look(losses, wins)

        assert one.e_value == pytest.approx(other.e_value)
        assert one.leader == -other.leader
        assert (one.low, one.high) == (pytest.approx(1 - other.high), pytest.approx(1 - other.low))

    @given(votes, votes)
    def test_decides_just_where_the_interval_leaves_one_half(self, wins, losses):
        verdict = look(wins, losses)

        assert verdict.is_decided == (not verdict.low < 0.5 < verdict.high)

    def test_says_nothing_before_there_are_votes(self):
        verdict = look(0, 0)

        assert (verdict.e_value, verdict.leader, verdict.is_decided) == (1.0, 0, False)
        assert verdict.low < 0.001 and verdict.high > 0.999


class TestTheInterval:
    @given(votes, votes, st.floats(0.001, 0.2))
    def test_holds_the_share_of_wins_and_narrows_with_more_error(self, wins, losses, error):
        low, high = confidence_sequence(wins, losses, error)
        wider = confidence_sequence(wins, losses, error / 2)

        assert 0 <= wider[0] <= low < high <= wider[1] <= 1
        if wins + losses:
            assert low <= wins / (wins + losses) <= high


class TestPeekingAfterEachVote:
    def test_names_a_winner_among_equals_in_at_most_the_error_rate(self):
        rng = random.Random(7)

        named = sum(_ever_decided(rng, 0.5, 300) for _one in range(400))

        assert named / 400 <= 0.05

    def test_finds_the_better_one_of_two(self):
        rng = random.Random(7)

        assert sum(_ever_decided(rng, 0.65, 400) for _one in range(50)) >= 48


def _ever_decided(rng, rate, most):
    wins = 0
    for vote in range(1, most + 1):
        wins += rng.random() < rate
        if log_e_value(wins, vote - wins) >= 2.9957323:  # log 20
            return True
    return False
