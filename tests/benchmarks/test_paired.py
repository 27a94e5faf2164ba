"""Paired differences with Student's interval."""

import pytest

from benchmarks.paired import difference, means

SEEDS = [{"new": 0.75, "old": 0.70}, {"new": 0.80, "old": 0.73}, {"new": 0.70, "old": 0.67}]


def values(figures):
    return {figure.name: figure.value for figure in figures}


def test_the_mean_of_each_way():
    assert values(means("x", SEEDS)) == pytest.approx({"x_new_accuracy": 0.75, "x_old_accuracy": 0.70})


def test_the_difference_is_taken_seed_by_seed():
    # Differences 0.05, 0.07, 0.03: mean 0.05, deviation 0.02; t with 2 degrees of freedom is 4.3027.
    reach = 4.3027 * 0.02 / 3**0.5

    found = values(difference("x", "new", "old", SEEDS))

    name = "x_new_minus_old_accuracy"
    assert found[name] == pytest.approx(0.05)
    assert found[f"{name}_low"] == pytest.approx(0.05 - reach, abs=1e-5)
    assert found[f"{name}_high"] == pytest.approx(0.05 + reach, abs=1e-5)
    assert found[f"{name}_seeds_above_0"] == 3


def test_one_seed_has_no_interval():
    assert len(list(difference("x", "new", "old", SEEDS[:1]))) == 2
