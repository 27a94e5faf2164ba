"""A script of mixed faults with a fixed seed, against several workers and runs at once."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from benchmarks.faults.stage import LEASE, Stage, Stuck, a_stage, toy_digest, wait_for
from benchmarks.figures import Figure

FAULTS = 200
RUNS = 4
"""At once."""
STEPS = 80
WORKERS = ("one", "two", "three")
SEED = 20261127


def measure(part: str, repeats: int) -> Iterator[Figure]:
    """``part``: how many faults, if not 200."""
    faults = int(part or FAULTS)
    with a_stage(
        RANKWRIGHT_FAULTS_LEASE=str(LEASE),
        RANKWRIGHT_FAULTS_TOY="1",
        RANKWRIGHT_FAULTS_STEPS=str(STEPS),
        RANKWRIGHT_FAULTS_HANG="4",
        RANKWRIGHT_RUNS_AT_A_TIME="2",
    ) as stage:
        script = Script(stage, random.Random(SEED))
        script.play(faults)
        yield from script.figures()
        yield Figure("orphans", len(stage.orphans()), "processes")


class Script:
    def __init__(self, stage: Stage, rng: random.Random) -> None:
        self.stage, self.rng = stage, rng
        self.runs: list[Any] = []
        self.done: dict[str, int] = {}
        self.steps: dict[int, int] = {}
        """How far a run was when it was last harmed: twice at the same step would be poison, by rule."""

    def play(self, faults: int) -> None:
        for name in WORKERS:
            self.stage.start(name)
        for _ in range(faults):
            self._fill()
            harm = self.rng.choice(HARMS)
            with suppress(Stuck):
                run = wait_for(self._one_that_got_on, "a run gets on", 60)
                harm(self, run)
                self.done[harm.__name__] = self.done.get(harm.__name__, 0) + 1
            time.sleep(self.rng.uniform(0, 0.3))
            self.stage.revive()
        for run in self.runs:
            with suppress(Stuck):
                self.stage.finish(run)

    def figures(self) -> Iterator[Figure]:
        yield Figure("faults", sum(self.done.values()), "faults")
        for name, count in sorted(self.done.items()):
            yield Figure(f"faults_{name}", count, "faults")
        stuck = [run for run in self.runs if not run.is_final]
        over = [run for run in self.runs if run.is_final]
        unmade = [run for run in over if run.status != "SUCCEEDED"]
        # The script may strike a run twice at one step, which ends it in words: the rule, and no loss.
        stopped = [run for run in unmade if _was_struck_twice_at_one_step(run)]
        lost = [run for run in unmade if run not in stopped]
        for run in (*stuck, *unmade):
            print(run, run.status, run.failure, list(run.attempts.values_list("ending", "last_step")))
        made = [run for run in over if run.status == "SUCCEEDED"]
        yield Figure("runs", len(self.runs), "runs")
        yield Figure("runs_lost", len(lost), "runs")
        yield Figure("runs_struck_twice_at_one_step", len(stopped), "runs")
        yield Figure("runs_stuck", len(stuck), "runs")
        yield Figure(
            "runs_published_twice", sum("not published once" in self.stage.flaws(r) for r in made), "runs"
        )
        yield Figure("runs_with_flaws", sum(bool(self.stage.flaws(run)) for run in self.runs), "runs")
        yield Figure(
            "resume_sha_mismatches",
            sum(run.artifact.digest != toy_digest(run.config["seed"], STEPS) for run in made),
            "runs",
        )

    def _fill(self) -> None:
        while sum(not run.is_final for run in self.runs if self.stage.state(run)) < RUNS:
            self.runs.append(self.stage.queue(config={"seed": len(self.runs)}))

    def _one_that_got_on(self) -> Any:
        """A run that has come further since it was last harmed."""
        self.stage.revive()
        self._fill()
        going = [run for run in self.runs if self.stage.state(run) == "RUNNING"]
        # Whoever shares its worker is harmed with it, so all of them must have got on.
        busy = {run.worker for run in going if run.step <= self.steps.get(run.pk, 1)}
        fit = [run for run in going if run.worker not in busy]
        if not fit:
            return None
        run = self.rng.choice(fit)
        (run.folder.parent / "hang").unlink(missing_ok=True)  # one harm at a time
        for other in going:
            if other.worker == run.worker:
                self.steps[other.pk] = other.step + 1
        return run


def kill_worker(script: Script, run: Any) -> None:
    script.stage.workers[run.worker].kill()
    script.stage.workers[run.worker].wait()


def kill_lab(script: Script, run: Any) -> None:
    _signal(script.stage.labs(run), signal.SIGKILL)


def kill_both(script: Script, run: Any) -> None:
    kill_worker(script, run)
    kill_lab(script, run)


def kill_guard(script: Script, run: Any) -> None:
    _signal(script.stage.guards(run), signal.SIGKILL)


def stop_worker(script: Script, run: Any) -> None:
    """Past its lease; then it goes on."""
    worker = script.stage.workers[run.worker]
    worker.send_signal(signal.SIGSTOP)
    time.sleep(script.rng.uniform(0.5, 1.5) * LEASE)
    worker.send_signal(signal.SIGCONT)


def ask_worker_to_leave(script: Script, run: Any) -> None:
    worker = script.stage.workers[run.worker]
    worker.terminate()
    worker.wait()


def ask_lab_to_stop(script: Script, run: Any) -> None:
    _signal(script.stage.labs(run), signal.SIGTERM)


def hang(script: Script, run: Any) -> None:
    told = run.folder.parent / "hang.unfinished"
    told.write_text(str(run.step + 1))
    told.rename(run.folder.parent / "hang")


def spoil_newest_state(script: Script, run: Any) -> None:
    """And kill its lab, so that somebody has to read it."""
    kill_lab(script, run)
    saved = [folder for folder in (run.folder / "checkpoints").glob("*") if folder.name.isdigit()]
    with suppress(OSError, ValueError):
        os.truncate(max(saved, key=lambda folder: int(folder.name)) / "state", 5)


HARMS = (
    kill_worker,
    kill_lab,
    kill_both,
    kill_guard,
    stop_worker,
    ask_worker_to_leave,
    ask_lab_to_stop,
    hang,
    spoil_newest_state,
)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _was_struck_twice_at_one_step(run: Any) -> bool:
    ends = list(run.attempts.order_by("number").values_list("ending", "last_step"))
    return bool(run.status == "FAILED" and len(ends) > 1 and ends[-1] == ends[-2])
