"""A short version of ``make faults``: real workers, real kills."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("scenario", ["mixed.6", "clicks"])
def test_no_run_is_lost_stuck_or_published_twice(scenario, tmp_path):
    command = [sys.executable, "-m", "benchmarks.faults", scenario, "--repeats", "1"]

    done = subprocess.run(
        [*command, "--results", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )

    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("figure ")]
    figures = {name: float(value) for _figure, name, value, _unit in lines}
    assert done.returncode == 0, done.stderr[-2000:]
    if scenario == "clicks":
        assert (figures["most_runs_of_ten_clicks"], figures["click_errors"]) == (1, 0)
        return
    assert figures["faults"] == 6
    bad = ["runs_lost", "runs_stuck", "runs_published_twice", "resume_sha_mismatches", "orphans"]
    assert {name: figures[name] for name in bad} == dict.fromkeys(bad, 0.0), done.stdout
