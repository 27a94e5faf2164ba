import numpy as np
import pytest
from scipy.stats import spearmanr

from annotation.comparisons import Ballot
from annotation.reliability import collect_comparisons, estimate_reliability
from tests.annotation.ballots import crowd


def by_labeler(found, values):
    ordered = np.full(max(found.comparisons.labelers) + 1, np.nan)
    ordered[found.comparisons.labelers] = values
    return ordered


class TestReliability:
    @pytest.mark.parametrize("seed", range(5))
    def test_ranks_forty_labelers_as_the_truth_does(self, seed):
        known = crowd(seed)

        found = estimate_reliability(collect_comparisons(known.candidate_sets), resamples=2)

        ability = by_labeler(found, found.ability)
        assert spearmanr(ability, known.accuracy).statistic >= 0.9
        assert np.abs(ability[:4]).max() < 0.6 < np.median(ability)

    def test_of_those_who_turn_orders_round_is_negative(self):
        known = crowd(1, labelers=10, sets=200)
        turned = [
            [(who, Ballot(ballot.tiers[::-1]) if who == 9 else ballot) for who, ballot in ballots]
            for ballots in known.candidate_sets
        ]

        found = estimate_reliability(collect_comparisons(turned), resamples=2)

        assert by_labeler(found, found.ability)[9] < 0
        assert found.weights()[9] == 0

    def test_of_those_who_only_tie_is_near_0(self):
        known = crowd(2, labelers=10, sets=200, spammers=0)
        idle = [
            [(who, Ballot([[0, 1, 2, 3]]) if who == 9 else ballot) for who, ballot in ballots]
            for ballots in known.candidate_sets
        ]

        found = estimate_reliability(collect_comparisons(idle), resamples=2)

        assert abs(by_labeler(found, found.ability)[9]) < 0.3

    def test_intervals_narrow_with_the_number_of_rankings(self):
        def width(sets):
            found = estimate_reliability(collect_comparisons(crowd(3, labelers=8, sets=sets).candidate_sets))
            return np.median(found.high - found.low)

        assert width(400) < width(50)

    def test_orders_completions_as_reliable_labelers_do(self):
        known = crowd(0, labelers=8, sets=100, spammers=0)
        best_last = Ballot([[3], [2], [1], [0]])
        sets = [*known.candidate_sets, [(one, best_last) for one in range(8)]]

        found = estimate_reliability(collect_comparisons(sets), resamples=2)

        last = [
            score
            for score, (number, _pk) in zip(found.scores, found.comparisons.completions, strict=True)
            if number == 100
        ]
        assert list(np.argsort(last)) == [0, 1, 2, 3]

    def test_of_nothing_is_nothing(self):
        found = estimate_reliability(collect_comparisons([]))

        assert found.weights() == {}

    def test_of_a_labeler_who_rejects_everything_is_the_priors(self):
        found = estimate_reliability(collect_comparisons([[(7, Ballot([], [1, 2]))]]))

        assert found.weights() == {7: 1.0}
        assert list(found.cases) == [0]
