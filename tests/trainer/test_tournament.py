"""Scores of many from votes between two; what style is worth is told apart from what the answer is worth."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.tournament import Vote, fit, style_difference

ANN, BEN, CLEO = 11, 22, 33
outcomes = st.sampled_from([-1, 0, 1])
votes = st.lists(
    st.builds(
        lambda pair, outcome: Vote(*pair, outcome),
        st.sampled_from([(ANN, BEN), (BEN, CLEO), (CLEO, ANN)]),
        outcomes,
    ),
    min_size=1,
    max_size=40,
)


def turned(vote):
    return Vote(vote.other, vote.one, -vote.outcome, tuple(-one for one in vote.style))


class TestFit:
    @given(votes, st.randoms(use_true_random=False))
    @settings(max_examples=40)
    def test_does_not_depend_on_sides_or_order(self, cast, rng):
        swapped = [turned(vote) if rng.random() < 0.5 else vote for vote in cast]
        rng.shuffle(swapped)

        one, other = fit(cast, [ANN, BEN, CLEO]), fit(swapped, [CLEO, ANN, BEN])

        assert {name: pytest.approx(score, abs=1e-6) for name, score in one.scores.items()} == other.scores
        assert sum(one.scores.values()) == pytest.approx(0, abs=1e-9)

    @given(votes)
    @settings(max_examples=40)
    def test_two_win_rates_of_a_pair_add_up_to_one(self, cast):
        found = fit(cast, [ANN, BEN, CLEO])

        rate, low, high = found.win_rate(ANN, BEN)

        assert rate + found.win_rate(BEN, ANN)[0] == pytest.approx(1)
        assert 0 <= low <= rate <= high <= 1

    def test_says_even_where_the_votes_are(self):
        found = fit([Vote(ANN, BEN, outcome) for outcome in (1, -1, 0, 0)], [ANN, BEN])

        assert found.win_rate(ANN, BEN)[0] == pytest.approx(0.5)

    def test_comes_near_to_the_rate_of_the_votes_where_they_are_many(self):
        cast = [Vote(ANN, BEN, outcome) for outcome in [1] * 500 + [0] * 200 + [-1] * 300]

        rate, low, high = fit(cast, [ANN, BEN]).win_rate(ANN, BEN)

        assert rate == pytest.approx(0.6, abs=0.005)
        assert 0.02 < high - rate < 0.05

    def test_stays_finite_where_one_has_won_every_vote(self):
        found = fit([Vote(ANN, BEN, 1)] * 30, [ANN, BEN, CLEO])

        assert found.scores[ANN] > found.scores[CLEO] > found.scores[BEN]
        assert abs(found.scores[ANN]) < 20
        assert found.interval(CLEO)[1] - found.interval(CLEO)[0] > 2

    def test_orders_a_chain_that_never_met(self):
        cast = [Vote(ANN, BEN, 1)] * 8 + [Vote(ANN, BEN, -1)] * 2
        cast += [Vote(BEN, CLEO, 1)] * 8 + [Vote(BEN, CLEO, -1)] * 2

        scores = fit(cast, [ANN, BEN, CLEO]).scores

        assert scores[ANN] > scores[BEN] > scores[CLEO]


class TestControl:
    def test_takes_a_win_by_length_for_what_it_is(self):
        """Ann's answers are mostly longer, and people choose by length alone."""
        rng, cast = random.Random(3), []
        for _vote in range(2000):
            longer = 0.4 if rng.random() < 0.8 else -0.4
            wins = rng.random() < (0.75 if longer > 0 else 0.25)
            cast.append(Vote(ANN, BEN, 1 if wins else -1, (longer,)))
        plain = fit([Vote(vote.one, vote.other, vote.outcome) for vote in cast], [ANN, BEN])

        controlled = fit(cast, [ANN, BEN])

        assert plain.win_rate(ANN, BEN)[1] > 0.6
        low, high = controlled.win_rate(ANN, BEN)[1:]
        assert low < 0.5 < high
        assert controlled.style[0] > 1


class TestStyleDifference:
    @given(st.text(), st.text())
    def test_turns_round_with_the_sides_and_stays_within_one(self, one, other):
        there, back = style_difference(one, other), style_difference(other, one)

        assert there == tuple(-trait for trait in back)
        assert all(-1 <= trait <= 1 for trait in there)

    def test_counts_headings_items_and_bold(self):
        assert style_difference("# Tea\n- **hot**\n2. wet", "Tea.")[1:] == (1.0, 1.0, 1.0)
