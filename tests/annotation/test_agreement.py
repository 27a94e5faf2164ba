import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import data, lists
from scipy.stats import kendalltau

from annotation.agreement import (
    OUTCOMES,
    agreeing_and_all,
    agreement_with_others,
    alpha,
    coincidences,
    interval,
    kendall_taus,
    mirrored,
    nominal,
    ordinal,
    outcome_counts,
    raw_agreement,
)
from annotation.comparisons import Ballot, outcome_matrix
from annotation.estimates import Undefined
from tests.annotation.ballots import ballots, elections, renamed, renamings

STRICT = Ballot([[3], [1], [4], [2]])
REVERSED = Ballot([[2], [4], [1], [3]])

# The examples of Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011); None is a missing value.
B = ["a a b b d c c c e d d a", "b a b b b c c c e d d d"]
C = [
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
]
A = ["0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"]


def units(observers):
    """How often each unit was given each category, and the categories' values."""
    columns = list(zip(*(row.split() for row in observers), strict=True))
    categories = sorted({value for column in columns for value in column} - {"."})
    counts = np.array([[column.count(one) for one in categories] for column in columns], dtype=float)
    return coincidences(counts), np.arange(len(categories), dtype=float)


def outcomes_of(*given_ballots):
    return outcome_matrix(given_ballots, [1, 2, 3, 4])


def alpha_of(together, metric=nominal):
    return alpha(mirrored(together), OUTCOMES, metric)


class TestAlpha:
    @pytest.mark.parametrize(
        ("observers", "metric", "published"),
        [
            (A, nominal, 0.095),
            (B, nominal, 0.692),
            (C, nominal, 0.743),
            (C, ordinal, 0.815),
            (C, interval, 0.849),
        ],
    )
    def test_is_what_krippendorff_published(self, observers, metric, published):
        together, values = units(observers)

        assert alpha(together, values, metric) == pytest.approx(published, abs=0.0006)

    @pytest.mark.parametrize("metric", [nominal, interval, ordinal])
    def test_is_1_for_identical_orders(self, metric):
        together = coincidences(outcome_counts(outcomes_of(STRICT, STRICT, STRICT)))

        assert alpha_of(together, metric) == pytest.approx(1)

    def test_is_below_chance_for_reversed_orders(self):
        assert alpha_of(coincidences(outcome_counts(outcomes_of(STRICT, REVERSED)))) < -0.5

    def test_is_near_0_for_orders_by_lot(self):
        random = np.random.default_rng(4)
        together = sum(
            coincidences(
                outcome_counts(
                    outcomes_of(*(Ballot([[pk] for pk in random.permutation(4) + 1]) for _ in "ab"))
                )
            )
            for _set in range(2000)
        )

        assert alpha_of(together) == pytest.approx(0, abs=0.04)

    def test_takes_a_tie_for_a_smaller_disagreement_where_it_is_halfway(self):
        two = [Ballot([[1], [2]]), Ballot([[1, 2]])]
        others = coincidences(outcome_counts(outcome_matrix([Ballot([[1], [2]])] * 2, [1, 2])))
        together = others + coincidences(outcome_counts(outcome_matrix(two, [1, 2])))

        assert alpha_of(together, interval) > alpha_of(together, nominal)

    @given(elections(), data())
    def test_is_the_same_whatever_the_completions_are_called(self, election, data):
        candidates, cast = election
        names = data.draw(renamings(candidates))
        again = [renamed(ballot, names) for ballot in cast]

        before = alpha_of(coincidences(outcome_counts(outcome_matrix(cast, candidates))))
        after = alpha_of(coincidences(outcome_counts(outcome_matrix(again, sorted(names.values())))))

        assert before == (after if isinstance(after, Undefined) else pytest.approx(after))

    def test_says_why_it_is_undefined(self):
        tied = coincidences(outcome_counts(outcomes_of(Ballot([[1, 2, 3, 4]]), Ballot([[1, 2, 3, 4]]))))
        alone = coincidences(outcome_counts(outcomes_of(STRICT)))

        assert alpha_of(tied) == Undefined("no_variation")
        assert alpha_of(alone) == Undefined("nothing_in_common")


class TestRawAgreement:
    def test_is_1_for_identical_orders_and_0_for_reversed_ones(self):
        assert raw_agreement(outcomes_of(STRICT, STRICT)) == 1
        assert raw_agreement(outcomes_of(STRICT, REVERSED)) == 0

    def test_of_two_against_one_is_a_third(self):
        assert raw_agreement(outcomes_of(STRICT, STRICT, REVERSED)) == pytest.approx(1 / 3)

    def test_needs_two_labelers(self):
        assert raw_agreement(outcomes_of(STRICT)) == Undefined("fewer_than_two_labelers")

    def test_of_ballots_that_reject_everything_is_undefined(self):
        assert raw_agreement(outcomes_of(Ballot([], [1, 2, 3, 4]), STRICT)) == Undefined("nothing_in_common")

    @given(elections())
    def test_is_the_mean_over_labelers_of_their_agreement_with_the_others(self, election):
        candidates, cast = election
        outcomes = outcome_matrix(cast, candidates)

        agreeing, everything = agreement_with_others(outcomes)

        assert (agreeing.sum() / 2, everything.sum() / 2) == pytest.approx(agreeing_and_all(outcomes))

    def test_of_a_labeler_counts_their_own_comparisons_only(self):
        agreeing, everything = agreement_with_others(outcomes_of(STRICT, STRICT, REVERSED))

        assert list(agreeing / everything) == [0.5, 0.5, 0]


class TestKendallTau:
    def test_is_1_for_identical_orders_and_minus_1_for_reversed_ones(self):
        assert kendall_taus(outcomes_of(STRICT, STRICT, REVERSED)) == pytest.approx([1, -1, -1])

    def test_is_undefined_beside_a_ballot_of_ties(self):
        assert np.isnan(kendall_taus(outcomes_of(STRICT, Ballot([[1, 2, 3, 4]]))))

    @given(lists(ballots([1, 2, 3, 4, 5]), min_size=2, max_size=2))
    def test_is_what_scipy_computes(self, two):
        levels = [[ballot.levels()[pk] for pk in range(1, 6)] for ballot in two]

        (tau,) = kendall_taus(outcome_matrix(two, [1, 2, 3, 4, 5]))

        assert tau == pytest.approx(kendalltau(*levels).statistic, nan_ok=True)
