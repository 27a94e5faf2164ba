"""The measuring itself; what is measured is never part of the tests."""

import json
import re
import sys
from types import SimpleNamespace

import pytest

from benchmarks.__main__ import run
from benchmarks.clock import Clock
from benchmarks.figures import Figure
from benchmarks.lab import ratios


@pytest.fixture
def oven(monkeypatch):
    """A benchmark that measures nothing and ends at once."""
    module = SimpleNamespace(
        measure=lambda part, repeats: iter(
            [Figure("oven_heat", 212.5, "degrees"), Figure("loaves", 3, "loaves")]
        ),
        facts=lambda: {"flour": "rye"},
    )
    monkeypatch.setitem(sys.modules, "benchmarks.oven", module)


class TestABenchmark:
    def test_prints_a_line_for_each_figure(self, oven, tmp_path, capsys):
        run("oven", "", 1, tmp_path)

        lines = capsys.readouterr().out.splitlines()
        assert lines == ["figure oven_heat 212.5 degrees", "figure loaves 3 loaves"]
        assert all(re.fullmatch(r"figure \w+ [-+.\de]+ \S+", line) for line in lines)

    def test_keeps_its_figures_with_what_they_depend_on(self, oven, tmp_path):
        run("oven", "", 1, tmp_path)

        kept = json.loads((tmp_path / "oven.json").read_text())
        assert kept["figures"][0] == {"name": "oven_heat", "value": 212.5, "unit": "degrees"}
        assert {"measured_at", "commit", "machine", "repeats"} < set(kept)
        assert kept["flour"] == "rye"

    def test_keeps_one_part_apart_from_the_whole(self, oven, tmp_path):
        run("oven", "door", 1, tmp_path)

        assert [path.name for path in tmp_path.iterdir()] == ["oven.door.json"]


class TestTheClock:
    def test_counts_the_first_step_by_its_work_and_not_by_its_time(self):
        clock = Clock()
        clock.times, clock.work = [90.0, 92.0, 94.0], [2.0, 1.0, 1.0]

        assert clock.cpu_seconds() == 8.0


class TestRatios:
    def test_compare_each_side_where_it_is_fastest(self):
        medians = {
            ("ours", "fp32"): {"cpu_seconds": 4.0, "peak_mb": 10.0},
            ("ours", "bf16"): {"cpu_seconds": 2.0, "peak_mb": 30.0},
            ("peer", "defaults"): {"cpu_seconds": 6.0, "peak_mb": 60.0},
            ("peer", "fp32"): {"cpu_seconds": 8.0, "peak_mb": 40.0},
        }

        found = {figure.name: figure.value for figure in ratios("bread", medians)}

        assert found == {
            "bread_ratio": 3.0,
            "bread_memory_ratio": 0.5,
            "bread_ratio_fp32": 2.0,
            "bread_memory_ratio_fp32": 0.25,
        }
