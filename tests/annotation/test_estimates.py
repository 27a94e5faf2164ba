import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import integers
from scipy.stats import binomtest

from annotation.estimates import Estimate, Totals, Undefined, wilson


@given(integers(0, 60), integers(1, 60))
def test_wilsons_interval_is_what_scipy_computes(successes, cases):
    successes = min(successes, cases)
    interval = binomtest(successes, cases).proportion_ci(method="wilson")

    assert wilson(successes, cases) == pytest.approx((interval.low, interval.high), abs=1e-9)


def share(sums):
    return float(sums[0] / sums[1]) if sums[1] else Undefined("nothing_in_common")


def measured(rows, seed=0):
    totals = Totals(2, seed=seed)
    totals.add(rows)
    return totals.estimate(share, cases=len(rows))


class TestTotals:
    def test_cover_the_truth_about_as_often_as_they_say(self):
        random = np.random.default_rng(0)
        hits = 0
        for seed in range(200):
            rows = np.stack([random.binomial(6, 0.7, 80), np.full(80, 6)], axis=1).astype(float)
            found = measured(rows, seed)
            hits += found.low <= 0.7 <= found.high

        assert 178 <= hits <= 199

    def test_are_wider_where_judgements_of_a_set_go_together(self):
        random = np.random.default_rng(1)
        apart = np.stack([random.binomial(6, 0.5, 200), np.full(200, 6)], axis=1).astype(float)
        together = np.stack([6 * random.binomial(1, 0.5, 200), np.full(200, 6)], axis=1).astype(float)

        assert width(measured(together)) > 1.5 * width(measured(apart))

    def test_come_out_the_same_in_chunks(self):
        rows = np.arange(40.0).reshape(20, 2)
        totals = Totals(2)
        totals.add(rows[:7])
        totals.add(rows[7:])

        assert list(totals.sums) == list(rows.sum(axis=0))
        assert totals.sets == 20

    def test_of_one_set_have_no_interval(self):
        assert measured(np.array([[1.0, 2.0]])) == Estimate(0.5, None, None, 1)

    def test_say_why_there_is_no_figure(self):
        assert measured(np.zeros((3, 2))) == Undefined("nothing_in_common")


def width(found):
    return found.high - found.low
