"""SIGSTOP of a worker until its lease is over and another one has the run; then SIGCONT."""

import os
import signal
from collections.abc import Iterator
from typing import Any

from benchmarks.faults.stage import LEASE, Stage, a_stage, toy_digest, wait_for
from benchmarks.figures import Figure

STEPS = 60


def measure(part: str, repeats: int) -> Iterator[Figure]:
    trials = 4 * repeats
    wrote = twice = mismatches = children = 0
    with a_stage(
        RANKWRIGHT_FAULTS_LEASE=str(LEASE), RANKWRIGHT_FAULTS_TOY="1", RANKWRIGHT_FAULTS_STEPS=str(STEPS)
    ) as stage:
        stage.start("one")
        for seed in range(trials):
            run = stage.queue(config={"seed": seed})
            holder = wait_for(lambda run=run: _holder(stage, run), "the run is held")
            other = next(name for name in ("one", "two") if name != holder)
            stage.start(other)
            os.kill(stage.workers[holder].pid, signal.SIGSTOP)
            wait_for(lambda run=run, other=other: _holder(stage, run) == other, "the other has it")
            children += bool(run.folder_of(1).exists() and _labs_of_attempt(stage, run, 1))
            os.kill(stage.workers[holder].pid, signal.SIGCONT)
            digest = stage.finish(run)
            flaws = stage.flaws(run)
            wrote += _wrote_late(run, holder)
            twice += "not published once" in flaws
            mismatches += digest != toy_digest(seed, STEPS)
            stage.kill(holder)
        orphans = len(stage.orphans())
    yield Figure("stop_trials", trials, "trials")
    yield Figure("zombie_writes", wrote, "runs")
    yield Figure("zombie_labs", children, "runs")
    yield Figure("runs_published_twice", twice, "runs")
    yield Figure("resume_sha_mismatches", mismatches, "runs")
    yield Figure("orphans", orphans, "processes")


def _holder(stage: Stage, run: Any) -> str:
    """Who has the run, once it has done a few steps."""
    stage.state(run)
    return run.worker if run.status == "RUNNING" and run.step > 2 else ""


def _labs_of_attempt(stage: Stage, run: Any, attempt: int) -> list[int]:
    return [pid for pid in stage.labs(run) if f"attempt-{attempt}" in _command(pid)]


def _command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read()
    except OSError:
        return ""


def _wrote_late(run: Any, holder: str) -> bool:
    """Anything of the stopped worker after its attempt was given to another."""
    lost = run.events.filter(kind="lost").first()
    return lost is None or run.events.filter(seq__gt=lost.seq, actor=holder).exists()
