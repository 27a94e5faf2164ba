"""Starting the lab as a process of its own, and watching it until it ends.

Nothing of the lab is imported here: a stage that runs out of memory or hangs takes only itself down.
"""

import ctypes
import logging
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, close_old_connections, transaction
from django.utils.translation import gettext as _

from trainer.handoff.rundir import RunDirectory
from trainer.models import Run, RunMetric

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
REPORT_SECONDS = 2.0
GRACE_SECONDS = 10.0
"""How long the lab may take to stop by itself."""

_PROJECT = Path(__file__).resolve().parent.parent
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class How(Enum):
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    """Somebody asked for it."""
    INTERRUPTED = "interrupted"
    """The worker is shutting down: the run goes back to the queue."""
    LOST = "lost"
    """Another attempt has the run: nothing may be written."""


@dataclass(frozen=True)
class Ending:
    how: How
    reason: str = ""
    summary: dict[str, Any] = field(default_factory=dict)


def lab_command(run: Run) -> list[str]:
    return [sys.executable, "-m", "trainer.rlhf", str(run.folder)]


def carry_out(
    run: Run,
    *,
    clock: Callable[[], datetime],
    stopping: Callable[[], bool],
    command: Sequence[str] | None = None,
) -> Ending:
    """Run the lab on the run's directory, keep the lease and copy the metrics, until it ends."""
    child = _start(command or lab_command(run), run.folder)
    reports = _Reports(run, clock)
    try:
        how = _watch(child, run, reports, stopping)
        if how in {How.CANCELLED, How.INTERRUPTED}:
            _stop(child)
    finally:
        # Whatever happened here, nothing of the lab outlives its run.
        _signal(child, signal.SIGKILL)
        child.wait()
    if how is not None:
        return Ending(how)
    return _outcome(run, child) if reports.send() else Ending(How.LOST)


def _watch(
    child: "subprocess.Popen[bytes]", run: Run, reports: "_Reports", stopping: Callable[[], bool]
) -> How | None:
    """Why the child must end before its time; None when it ended by itself."""
    while child.poll() is None:
        if stopping():
            return How.INTERRUPTED
        if run.cancel_requested_at:
            return How.CANCELLED
        if reports.are_due() and not reports.send():
            return How.LOST
        time.sleep(POLL_SECONDS)
    return None


class _Reports:
    """Copies new metrics into rows and renews the lease, in one transaction, fenced by the attempt."""

    def __init__(self, run: Run, clock: Callable[[], datetime]) -> None:
        self.run = run
        self.clock = clock
        self.directory = RunDirectory(run.folder)
        self.line = 0
        self.step, self.steps = 0, 0
        self.heard_at = self.tried_at = time.monotonic()

    def are_due(self) -> bool:
        return time.monotonic() - self.tried_at >= REPORT_SECONDS

    def send(self) -> bool:
        """Return False if this attempt lost the run, or may have lost it."""
        self.tried_at = time.monotonic()
        try:
            kept = self._send()
        except DatabaseError:
            logger.warning("Run %s could not be reported; trying again.", self.run.pk, exc_info=True)
            close_old_connections()
            # The database's clock and ours may differ: stop well before the lease can have run out.
            return time.monotonic() - self.heard_at < settings.RUN_LEASE.total_seconds() / 2
        self.heard_at = time.monotonic()
        return kept

    def _send(self) -> bool:
        lines, line = self.directory.read_metrics(self.line)
        if lines:
            self.step, self.steps = int(lines[-1]["step"]), int(lines[-1]["steps"])
        with transaction.atomic():
            if not self.run.extend(
                now=self.clock(), lease=settings.RUN_LEASE, step=self.step, steps=self.steps
            ):
                return False
            RunMetric.objects.bulk_create(
                RunMetric(run=self.run, attempt=self.run.attempt, line=number, values=_storable(values))
                for number, values in enumerate(lines, start=self.line + 1)
            )
        self.line = line
        return True


def _start(command: Sequence[str], folder: Path) -> "subprocess.Popen[bytes]":
    # Threads that spin while they wait starve the web server on a small machine.
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "PYTHONUNBUFFERED": "1"}
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(  # noqa: S603  # our own module, started with our own interpreter
            command,
            cwd=_PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()),
        )


def _die_with(parent: int) -> Callable[[], None]:
    """In the child: a worker that is killed without warning takes its lab with it."""

    def tie() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the tie was made
            os._exit(1)

    return tie


def _stop(child: "subprocess.Popen[bytes]") -> None:
    _signal(child, signal.SIGTERM)
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        logger.warning("Process %s did not stop in %s seconds; killing it.", child.pid, GRACE_SECONDS)


def _signal(child: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, number)


def _storable(values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON as databases take it: no NaN and no infinity."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }


def _outcome(run: Run, child: "subprocess.Popen[bytes]") -> Ending:
    outcome = RunDirectory(run.folder).outcome()
    if outcome is None:
        return Ending(How.FAILED, reason=_last_words(child.returncode, run.folder / "log.txt"))
    if outcome.succeeded:
        return Ending(How.DONE, summary=_storable(outcome.summary))
    return Ending(How.FAILED, reason=outcome.reason)


def _last_words(code: int, log: Path) -> str:
    if code == -signal.SIGKILL:
        return _(
            "The training process was killed from outside (SIGKILL). Most likely the machine ran out of "
            "memory: use a smaller batch size, or shorter answers."
        )
    if code < 0:
        name = signal.Signals(-code).name
        words = _("The training process was ended by the signal %(name)s.") % {"name": name}
    else:
        words = _("The training process ended with exit code %(code)d and gave no reason.") % {"code": code}
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    if lines:
        words += " " + _("The last line of its log: %(line)s") % {"line": lines[-1][:500]}
    return words
