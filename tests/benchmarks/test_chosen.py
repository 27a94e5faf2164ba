"""Which benchmarks a name means."""

import importlib

import pytest

from benchmarks.__main__ import BENCHMARKS, chosen_by


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("", [(one, "") for one in BENCHMARKS]),
        ("lab", [("lab", "")]),
        ("lab.reward_k4", [("lab", "reward_k4")]),
        ("judgements", [(one, "") for one in BENCHMARKS if one.startswith("judgements")]),
        ("judgements.reliability", [("judgements.reliability", "")]),
        ("la", []),
        ("judgement", []),
    ],
)
def test_a_name_is_a_benchmark_several_or_a_part(name, chosen):
    assert chosen_by(name) == chosen


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_measures_and_says_under_which_conditions(name):
    benchmark = importlib.import_module(f"benchmarks.{name.rpartition('.')[2]}")

    assert callable(benchmark.measure)
    assert benchmark.facts()
