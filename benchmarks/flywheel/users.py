"""The flywheel, headless: 200 simulated people chat, give feedback, and the next checkpoint is better.

The rule that they follow, and their doubt, are in ``benchmarks/flywheel/people.py``; the turn itself in
``turn.py``. Each seed has a database of its own.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.figures import ROOT, Figure
from config.bootstrap import BASE_MODEL, VAR

SCRATCH = VAR / "bench" / "flywheel"
PEOPLE = 200
SEEDS = 2
"""At most: a turn takes minutes."""
TURN = "import django; django.setup(); from benchmarks.flywheel import turn; turn.main()"
COUNTED = {
    "people": "people",
    "without_consent": "people",
    "abusers": "people",
    "thumb": "rows",
    "side_by_side": "rankings",
    "better_answer": "demonstrations",
    "left_out": "pieces of feedback",
    "left_without_consent": "pieces of feedback",
    "held_out_prompts": "prompts",
}


def figures(repeats: int) -> Iterator[Figure]:
    """``repeats`` are seeds. The rate is their mean, its lower and upper ends are the worst of them."""
    started, seeds = time.monotonic(), min(repeats, SEEDS)
    turns = [one_turn(seed, BASE_MODEL) for seed in range(seeds)]
    yield Figure("flywheel_win_rate", fmean(one["win_rate"] for one in turns), "share")
    yield Figure("flywheel_win_rate_low", min(one["win_rate_low"] for one in turns), "share")
    yield Figure("flywheel_win_rate_high", max(one["win_rate_high"] for one in turns), "share")
    for name, unit in COUNTED.items():
        yield Figure(f"flywheel_{name}", fmean(one.get(name, 0) for one in turns), unit)
    yield Figure("flywheel_seeds", seeds, "seeds")
    yield Figure("flywheel_turn_s", (time.monotonic() - started) / seeds, "s")


def one_turn(seed: int, base: Path, recipe: dict[str, Any] | None = None) -> dict[str, float]:
    """:raises SystemExit: a run of it did not succeed."""
    if not base.exists():
        raise SystemExit(f"There is no model in {base}; make setup brings it.")
    place = SCRATCH / str(seed)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-c", TURN, str(seed), str(PEOPLE), str(base), json.dumps(recipe or {})],
        cwd=ROOT,
        env={**os.environ, **_environment(place)},
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.returncode)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def _environment(place: Path) -> dict[str, str]:
    return {
        "RANKWRIGHT_VAR": str(place),
        "RANKWRIGHT_SECRET_KEY": "only-for-measuring-" + "x" * 40,
        "RANKWRIGHT_LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "OMP_WAIT_POLICY": "PASSIVE",
    }
