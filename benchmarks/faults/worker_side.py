"""A worker with its runner, and no Celery; or (imported by ``celery -A``) the real one. Both can be caught at
named moments, and have a hurried clock where they are told."""

import os
import signal
import sys
import threading
from datetime import timedelta
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402

from benchmarks.faults.points import wait_at  # noqa: E402
from config.celery import app  # noqa: E402, F401
from trainer import launch, pulse, runner  # noqa: E402
from trainer.actions import execution, losses  # noqa: E402
from trainer.models import Run  # noqa: E402


def main() -> None:
    leaving = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: leaving.set())
    worker = runner.Runner(sys.argv[1])
    worker.start()
    while not leaving.wait(0.1):
        pass
    worker.stop()


def catch() -> None:
    """At its moments a worker waits, as the lab does at others."""
    for module, name, point in (
        (execution, "_prepare", "claim"),
        (launch, "_note_process", "spawn"),
        (execution, "store_result", "publish"),
    ):
        setattr(module, name, _after(point, getattr(module, name)))
    launch.lab_command = _lab_command


def hurry(lease: float) -> None:
    """Everything that waits for a lease takes a fraction of its time."""
    settings.RUN_LEASE = timedelta(seconds=lease)
    settings.RUN_GRACE = timedelta(seconds=lease / 3)
    pulse.BEAT_SECONDS = lease / 15
    runner.SWEEP_SECONDS = lease / 8
    launch.POLL_SECONDS = lease / 60
    losses.FIRST_PAUSE = timedelta(seconds=lease / 15)
    losses.AGAIN_SECONDS = lease / 15


def _after(point: str, function: Any) -> Any:
    def caught(*arguments: Any, **options: Any) -> Any:
        wait_at(point)
        return function(*arguments, **options)

    return caught


def _lab_command(run: Run, meeting: object) -> list[str]:
    return [sys.executable, "-m", "benchmarks.faults.lab_side", str(run.folder)]


catch()
if lease := os.environ.get("RANKWRIGHT_FAULTS_LEASE"):
    hurry(float(lease))
if hang := os.environ.get("RANKWRIGHT_FAULTS_HANG"):
    settings.RUN_HANG_AFTER = timedelta(seconds=float(hang))
if __name__ == "__main__":
    main()
