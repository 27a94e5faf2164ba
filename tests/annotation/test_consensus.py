from math import log

import pytest
from hypothesis import given, settings
from hypothesis.strategies import data, sampled_from

from annotation.comparisons import Ballot
from annotation.consensus import METHODS, borda, bradley_terry, find_consensus, plackett_luce, ranked_pairs
from tests.annotation.ballots import elections, renamed, renamings

UP, DOWN = Ballot([[1], [2], [3]]), Ballot([[3], [2], [1]])

every_method = pytest.mark.parametrize("method", METHODS)


def apart(scores, one, other):
    return scores[one].value - scores[other].value


class TestEveryMethod:
    @settings(deadline=None)
    @given(elections(), sampled_from(sorted(METHODS)), data())
    def test_gives_the_same_consensus_whatever_the_completions_are_called(self, election, method, data):
        candidates, cast = election
        names = data.draw(renamings(candidates))

        before = find_consensus(cast, method, candidates)
        after = find_consensus([renamed(ballot, names) for ballot in cast], method, sorted(names.values()))

        assert [set(tier) for tier in after.tiers] == [{names[pk] for pk in tier} for tier in before.tiers]
        for pk in candidates:
            assert after.scores[names[pk]].value == pytest.approx(before.scores[pk].value, abs=1e-6)
            assert after.scores[names[pk]].low == pytest.approx(before.scores[pk].low, abs=1e-6)

    @settings(deadline=None)
    @given(elections(), sampled_from(sorted(METHODS)))
    def test_places_every_candidate_once_with_its_score_in_its_interval(self, election, method):
        candidates, cast = election

        found = find_consensus(cast, method, candidates)

        assert sorted([*sum(found.tiers, []), *found.unacceptable]) == candidates
        assert all(score.low <= score.value <= score.high for score in found.scores.values())

    @every_method
    def test_keeps_the_order_that_all_agree_on(self, method):
        assert find_consensus([UP, UP, UP], method).tiers == [[1], [2], [3]]

    @every_method
    def test_leaves_tied_what_ballots_leave_even(self, method):
        assert find_consensus([Ballot([[1], [2]]), Ballot([[2], [1]])], method).tiers == [[1, 2]]

    @every_method
    def test_leaves_a_circle_tied(self, method):
        circle = [Ballot([[1], [2], [3]]), Ballot([[2], [3], [1]]), Ballot([[3], [1], [2]])]

        assert find_consensus(circle, method).tiers == [[1, 2, 3]]

    @every_method
    def test_keeps_a_tie_that_all_agree_on(self, method):
        assert find_consensus([Ballot([[1, 2], [3]])] * 3, method).tiers == [[1, 2], [3]]

    @every_method
    def test_learns_nothing_from_a_ballot_that_rejects_everything(self, method):
        rejects = Ballot([], [1, 2, 3])

        with_it, without = find_consensus([UP, UP, rejects], method), find_consensus([UP, UP], method)

        assert with_it.tiers == without.tiers
        if method in ("bradley_terry", "plackett_luce"):
            for pk in (1, 2, 3):
                assert with_it.scores[pk].value == pytest.approx(without.scores[pk].value)

    @every_method
    def test_puts_what_most_reject_beside_the_tiers(self, method):
        found = find_consensus([Ballot([[1], [3]], [2]), Ballot([[1], [3]], [2]), UP], method)

        assert (found.tiers, found.unacceptable) == ([[1], [3]], [2])

    @every_method
    def test_believes_the_labeler_who_weighs_more(self, method):
        light = Ballot([[2], [1]])

        assert find_consensus([Ballot([[1], [2]], weight=3), light, light], method).tiers == [[1], [2]]

    @every_method
    def test_counts_a_ballot_that_saw_fewer_candidates(self, method):
        assert find_consensus([Ballot([[1], [2]]), Ballot([[1], [2]])], method, [1, 2, 3]).tiers[0] == [1]

    @pytest.mark.parametrize("method", ["bradley_terry", "plackett_luce", "borda"])
    def test_tells_two_against_one_from_three_against_none(self, method):
        split = find_consensus([UP, UP, DOWN], method).scores
        united = find_consensus([UP, UP, UP], method).scores

        assert 0 < apart(split, 1, 3) < apart(united, 1, 3)

    @every_method
    def test_is_surer_the_more_ballots_agree(self, method):
        def width(ballots):
            score = find_consensus(ballots, method).scores[1]
            return score.high - score.low

        assert width([UP] * 12) < width([UP] * 3)


class TestBradleyTerry:
    def test_without_a_prior_is_the_odds_of_two_candidates(self, monkeypatch):
        """Davidson (1970): the difference of scores is then the logarithm of wins over losses."""
        monkeypatch.setattr("annotation.consensus.PRIOR_SD", 1e6)
        monkeypatch.setattr("annotation.consensus.TIE_PRIOR_SD", 1e6)
        cast = [Ballot([[1], [2]])] * 30 + [Ballot([[2], [1]])] * 10 + [Ballot([[1, 2]])] * 20

        scores = bradley_terry(cast, [1, 2])

        assert apart(scores, 1, 2) == pytest.approx(log(3), abs=1e-6)

    def test_takes_ties_for_evidence_of_nearness(self):
        tie = Ballot([[1, 2]])

        near = bradley_terry([Ballot([[1], [2]]), tie, tie], [1, 2])
        far = bradley_terry([Ballot([[1], [2]])], [1, 2])

        assert 0 < apart(near, 1, 2) < apart(far, 1, 2)


class TestPlackettLuce:
    def test_without_a_prior_is_the_odds_of_two_candidates(self, monkeypatch):
        monkeypatch.setattr("annotation.consensus.PRIOR_SD", 1e6)

        scores = plackett_luce([Ballot([[1], [2]])] * 30 + [Ballot([[2], [1]])] * 10, [1, 2])

        assert apart(scores, 1, 2) == pytest.approx(log(3), abs=1e-6)


class TestBorda:
    def test_is_the_share_of_the_others_that_a_completion_beats(self):
        shares = borda([UP, UP, DOWN], [1, 2, 3])

        assert [shares[pk].value for pk in (1, 2, 3)] == pytest.approx([2 / 3, 1 / 2, 1 / 3])


class TestRankedPairs:
    def test_is_what_the_wikipedia_example_of_tennessee_says(self):
        """Published there: Nashville, Chattanooga, Knoxville, Memphis."""
        memphis, nashville, chattanooga, knoxville = 1, 2, 3, 4
        cast = [
            Ballot([[memphis], [nashville], [chattanooga], [knoxville]], weight=42),
            Ballot([[nashville], [chattanooga], [knoxville], [memphis]], weight=26),
            Ballot([[chattanooga], [knoxville], [nashville], [memphis]], weight=15),
            Ballot([[knoxville], [chattanooga], [nashville], [memphis]], weight=17),
        ]

        assert find_consensus(cast, "ranked_pairs").tiers == [[2], [3], [4], [1]]

    def test_drops_the_weakest_majority_of_a_circle(self):
        cast = [
            Ballot([[1], [2], [3]], weight=4),
            Ballot([[2], [3], [1]], weight=3),
            Ballot([[3], [1], [2]], weight=2),
        ]

        assert find_consensus(cast, "ranked_pairs").tiers == [[1], [2], [3]]

    def test_is_unsure_of_a_majority_of_two_against_one(self):
        assert (ranked_pairs([UP, UP, DOWN], [1, 2, 3])[1].low) == 0
