"""With the real lease: how soon a dead worker is noticed, and its run goes on elsewhere."""

import time
from collections.abc import Iterator
from typing import Any

from benchmarks.faults.stage import Stage, a_stage, toy_digest, wait_for
from benchmarks.figures import Figure

STEPS = 400
SECONDS = 0.3


def measure(part: str, repeats: int) -> Iterator[Figure]:
    noticed, restarted, redone = [], [], []
    with a_stage(
        RANKWRIGHT_FAULTS_TOY="1",
        RANKWRIGHT_FAULTS_STEPS=str(STEPS),
        RANKWRIGHT_FAULTS_SECONDS=str(SECONDS),
    ) as stage:
        for seed in range(repeats):
            times = _trial(stage, seed)
            noticed.append(times[0])
            restarted.append(times[1])
            redone.append(times[2])
    yield Figure("dead_worker_noticed_s", max(noticed), "s")
    yield Figure("run_restarted_s", max(restarted), "s")
    yield Figure("steps_done_again", max(redone), "steps")


def _trial(stage: Stage, seed: int) -> tuple[float, float, float]:
    from trainer.actions.runs import cancel_run

    stage.start("one")
    run = stage.queue(config={"seed": seed})
    wait_for(lambda: stage.state(run) and run.step > 5, "it trains")
    stage.start("two")
    time.sleep(3)
    stage.state(run)
    step = run.step
    stage.kill("one")
    killed_at = time.monotonic()
    wait_for(lambda: stage.state(run) and (run.attempt > 1 or run.status == "QUEUED"), "it is noticed")
    noticed = time.monotonic() - killed_at
    wait_for(lambda: stage.state(run) and run.attempt == 2 and _went_on(run), "it goes on")
    restarted = time.monotonic() - killed_at
    resumed = run.events.get(kind="resumed").data["step"]
    cancel_run(run, now=run.started_at)
    wait_for(lambda: not stage.labs(), "the lab is gone", 10)
    stage.kill("two")
    assert toy_digest(seed, STEPS)
    return noticed, restarted, max(0, step - resumed)


def _went_on(run: Any) -> bool:
    """A new step of the new attempt."""
    resumed = run.events.filter(kind="resumed").first()
    return bool(resumed and run.step > resumed.data["step"])
