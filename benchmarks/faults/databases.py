"""PostgreSQL stopped at once while a run trains and people click; back soon, or after the lease is over."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.faults.stage import Stage, a_stage, toy_digest, wait_for
from benchmarks.figures import Figure
from tests import postgres

STEPS = 500
LEASE = 9.0
SHORT, LONG = 3.0, 14.0
"""Seconds away: within what a lease allows, and beyond."""


class Server:
    """A private PostgreSQL that can be stopped at once, and started again with the same data."""

    def __init__(self) -> None:
        self.arguments: list[Any] = []
        self.options: dict[str, Any] = {}
        self.process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self) -> Iterator[str]:
        popen = subprocess.Popen

        def remember(*arguments: Any, **options: Any) -> Any:
            process = popen(*arguments, **options)
            if (
                Path(arguments[0][0]).name == "postgres"
            ):  # and not initdb, or the one that asks whether it is up
                self.arguments, self.options, self.process = arguments[0], options, process
            return process

        # What is acknowledged must outlive the stop, so here the disk is waited for.
        durable = {**postgres.SETTINGS, "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
        with patch.object(postgres, "SETTINGS", durable):
            started = postgres.private_server()
            with patch.object(subprocess, "Popen", remember):
                url = started.__enter__()
        try:
            yield url
        finally:
            self.stop()
            started.__exit__(None, None, None)

    def stop(self) -> None:
        """As ``pg_ctl stop -m immediate``: nothing is brought to an end."""
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()

    def start(self) -> None:
        with open(os.devnull, "w") as log:
            options = {**self.options, "stdout": log, "stderr": log}
            self.process = subprocess.Popen(self.arguments, **options)


def measure(part: str, repeats: int) -> Iterator[Figure]:
    server = Server()
    with (
        server.running() as url,
        a_stage(
            database=url,
            RANKWRIGHT_FAULTS_LEASE=str(LEASE),
            RANKWRIGHT_FAULTS_TOY="1",
            RANKWRIGHT_FAULTS_STEPS=str(STEPS),
        ) as stage,
    ):
        stage.start()
        for name, seconds in (("short", SHORT), ("long", LONG)):
            outcomes = [_trial(stage, server, seconds, seed) for seed in _seeds(name, repeats)]
            yield Figure(f"{name}_outages", len(outcomes), "trials")
            yield Figure(f"{name}_outage_runs_lost", sum(not same for same, _run, _lost in outcomes), "runs")
            yield Figure(
                f"{name}_outage_new_attempts", max(run.attempt - 1 for _, run, _ in outcomes), "attempts"
            )
            yield Figure(
                f"{name}_outage_losses_counted", max(run.lost_attempts for _, run, _ in outcomes), "attempts"
            )
            yield Figure(
                f"{name}_outage_acknowledged_clicks_lost", sum(lost for *_, lost in outcomes), "clicks"
            )


def _seeds(name: str, repeats: int) -> range:
    return range(repeats) if name == "short" else range(repeats, 2 * repeats)


def _trial(stage: Stage, server: Server, seconds: float, seed: int) -> tuple[bool, Any, int]:
    """Whether it came to the same end, the run, and how many acknowledged clicks were forgotten."""
    run = stage.queue(config={"seed": seed})
    wait_for(lambda: stage.state(run) and run.step > 5, "it trains")
    clicked = _click(stage, 1000 * (seed + 1))
    server.stop()
    gone_at = time.monotonic()
    while time.monotonic() - gone_at < seconds:
        clicked += _click(stage, 1000 * (seed + 1) + 500)
    server.start()
    wait_for(lambda: stage.state(run), "the database is back")
    same = stage.finish(run) == toy_digest(seed, STEPS) and not stage.flaws(run)
    return same, run, _forgotten(clicked)


def _click(stage: Stage, seed: int, count: int = 10) -> list[int]:
    """The runs that were promised. They are cancelled again: they are about promises."""
    from django.db import Error, close_old_connections
    from django.utils import timezone

    from trainer.actions.runs import cancel_run

    promised = []
    for number in range(count):
        try:
            run = stage.queue(config={"seed": seed + number})
            promised.append(run.pk)
            cancel_run(run, now=timezone.now())
        except Error:
            close_old_connections()
            time.sleep(0.1)
    return promised


def _forgotten(promised: list[int]) -> int:
    from trainer.models import Run

    return len(set(promised) - set(Run.objects.values_list("pk", flat=True)))
