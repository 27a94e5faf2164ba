"""SIGKILL of the worker, of its lab, or of both, at each named moment of a real stage's life."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from benchmarks.faults.points import OF_THE_WORKER, POINTS
from benchmarks.faults.stage import LEASE, Stage, Stuck, a_stage, wait_for
from benchmarks.figures import Figure

KINDS = ("sft", "reward", "ppo")
TARGETS = ("worker", "child", "both")


def measure(part: str, repeats: int) -> Iterator[Figure]:
    """``part``: a kind of run, or all."""
    kinds = [kind for kind in KINDS if not part or kind == part]
    trials = lost = stuck = twice = mismatches = orphans = 0
    with a_stage(RANKWRIGHT_FAULTS_LEASE=str(LEASE)) as stage:
        stage.start()
        unkilled = _unkilled(stage, kinds)
        for kind, point, target in _plan(kinds, repeats):
            trials += 1
            outcome, flaws = _trial(stage, kind, point, target)
            lost += outcome.startswith(("FAILED", "CANCELLED"))
            stuck += outcome == "stuck"
            twice += "not published once" in flaws
            mismatches += outcome != unkilled[kind]
            if outcome != unkilled[kind] or flaws:
                print(f"{kind} {point} {target}: {outcome} {flaws}", flush=True)
        orphans = len(stage.orphans())
    yield Figure("kill_trials", trials, "trials")
    yield Figure("runs_lost", lost, "runs")
    yield Figure("runs_stuck", stuck, "runs")
    yield Figure("runs_published_twice", twice, "runs")
    yield Figure("resume_sha_mismatches", mismatches, "runs")
    yield Figure("orphans", orphans, "processes")


def _plan(kinds: list[str], repeats: int) -> Iterator[tuple[str, str, str]]:
    for _ in range(repeats):
        for kind in kinds:
            for point in POINTS:
                # Before the lab is started and after it has ended there is nobody but the worker.
                alone = point in ("claim", "publish")
                for target in ("worker",) if alone else TARGETS:
                    yield kind, point, target


def _unkilled(stage: Stage, kinds: list[str]) -> dict[str, str]:
    """What each kind makes when nobody disturbs it."""
    digests = {}
    for kind in KINDS if "ppo" in kinds else kinds:
        run = stage.queue(kind)
        digests[kind] = stage.finish(run)
        if kind == "reward":
            stage.reward = run.result
    return digests


def _trial(stage: Stage, kind: str, point: str, target: str) -> tuple[str, list[str]]:
    stage.trap.set(point)
    run = stage.queue(kind)
    try:
        caught = wait_for(stage.trap.caught, f"{kind} came to {point}")
        if target != "worker":
            for pid in _lab_of(stage, run, caught if point not in OF_THE_WORKER else 0):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if target != "child":
            stage.kill()
            stage.start()
        stage.trap.release()
        digest = stage.finish(run)
    except Stuck as stuck:
        print(stuck, flush=True)
        return "stuck", []
    return digest, stage.flaws(run)


def _lab_of(stage: Stage, run: Any, caught: int) -> list[int]:
    return [caught] if caught else wait_for(lambda: stage.labs(run), "the lab is there")
