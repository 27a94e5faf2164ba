"""Starting the lab as a process of its own, and watching it until it ends.

Nothing of the lab is imported here: a stage that runs out of memory or hangs takes only itself down.
"""

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error
from django.utils.translation import gettext as _

from trainer import guard
from trainer.clocks import since_boot
from trainer.handoff.failures import Failure, failure_in
from trainer.handoff.rundir import RunDirectory
from trainer.models import Run, RunAttempt, RunMember
from trainer.pulse import HARD, AttemptLost, Leaving, Pulse, storable
from trainer.shelf import SavedElsewhere

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
KILL_SECONDS = 5.0
"""How long the guard may take to end the lab; then it is killed itself, and takes the lab with it."""
LAST_LINES = 20
LOG = "log.txt"
"""What the lab prints, in its attempt's folder."""
_PROJECT = Path(__file__).resolve().parent.parent
_ASKED_TO_STOP = {-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP, 128 + signal.SIGTERM}


class How(Enum):
    DONE = "done"
    FAILED = "failed"
    """No other attempt would end better."""
    BROKEN_OFF = "broken off"
    """Another attempt may end better."""
    INTERRUPTED = "interrupted"
    """The worker had to leave: the run goes back to the queue."""
    LOST = "lost"
    """The run is somebody else's by now, or cancelled: nothing may be written."""


@dataclass(frozen=True)
class Ending:
    how: How
    reason: str = ""
    failure: Failure = Failure.CODE_ERROR
    code: int | None = None
    summary: dict[str, Any] = field(default_factory=dict)


def lab_command(run: Run, meeting: RunAttempt | None = None, member: RunMember | None = None) -> list[str]:
    """``meeting``: the attempt that says where several nodes meet."""
    command = [sys.executable, "-m", "trainer.rlhf", str(member.folder if member else run.folder)]
    processes = meeting.processes if meeting else run.devices or settings.NODE_DEVICES
    if processes:
        command += ["--processes", str(processes)]
    if meeting:
        command += ["--nodes", str(run.nodes), "--rank", str(member.rank if member else 0)]
        command += ["--meet", meeting.meeting_point]
    return command


def carry_out(run: Run, *, pulse: Pulse, command: Sequence[str]) -> Ending:
    """Run the lab on the run's directory until it ends, or must."""
    killed_before = memory_kills()
    lab = Lab(command, run.folder, fence=HARD * pulse.lease)
    pulse.renewed = lab.renew
    saved = SavedElsewhere(run)
    try:
        _note_process(run, lab.pid)
        hung = _watch(lab, pulse, saved)
    except AttemptLost:
        return Ending(How.LOST)
    except Leaving:
        lab.stop(pulse)
        # It saved its state last of all.
        with suppress(AttemptLost, Error, OSError):
            saved.keep_up(pulse.hold)
        outcome = RunDirectory(run.folder).outcome()
        if not outcome or not outcome.succeeded:
            return Ending(How.INTERRUPTED, reason=_left(pulse))
        hung = False  # it was done just then
    finally:
        # Whatever happened here, nothing of the lab outlives its attempt.
        code = lab.end()
    if hung:
        return Ending(How.BROKEN_OFF, _hung(pulse), Failure.HUNG, code)
    pulse.beat()  # what it logged last
    if pulse.is_lost:
        return Ending(How.LOST)
    return _outcome(run.folder, code, out_of_memory=memory_kills() > killed_before)


def help_out(member: RunMember, *, pulse: Pulse, command: Sequence[str]) -> Ending:
    """Run this node's part of the lab until it ends, or must. The run is the holder's to write about."""
    killed_before = memory_kills()
    lab = Lab(command, member.folder, fence=HARD * pulse.lease)
    pulse.renewed = lab.renew
    try:
        _watch(lab, pulse)
    except AttemptLost:
        return Ending(How.LOST)
    except Leaving:
        lab.stop(pulse)
        return Ending(How.INTERRUPTED, reason=_left(pulse))
    finally:
        code = lab.end()
    if code == 0:
        return Ending(How.DONE)
    return _outcome(member.folder, code, out_of_memory=memory_kills() > killed_before)


def _watch(lab: "Lab", pulse: Pulse, saved: SavedElsewhere | None = None) -> bool:
    """Until the lab ends by itself. Returns True if it hangs instead.

    :raises AttemptLost, Leaving: it must end before its time.
    """
    while lab.is_alive():
        pulse.watch()
        if saved:
            saved.keep_up(pulse.watch)
        if pulse.is_hung:
            return True
        time.sleep(POLL_SECONDS)
    return False


class Lab:
    """The lab's process behind its guard."""

    def __init__(self, command: Sequence[str], folder: Path, *, fence: float) -> None:
        # Threads that spin while they wait starve the web server on a small machine.
        environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "PYTHONUNBUFFERED": "1"}
        with (folder / LOG).open("ab") as log:
            self.guard = subprocess.Popen(  # noqa: S603  # our own module, started with our own interpreter
                [sys.executable, "-I", "-S", guard.__file__, str(fence), *command],
                cwd=_PROJECT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                bufsize=0,
            )
        self.pid = self.guard.pid

    def is_alive(self) -> bool:
        return self.guard.poll() is None

    def renew(self) -> None:
        if self.guard.stdin and not self.guard.stdin.closed:
            with suppress(BrokenPipeError):
                self.guard.stdin.write(b".")

    def stop(self, pulse: Pulse) -> None:
        """Ask it to save its state and to end. It may take as long as the lease allows, but no longer."""
        self._signal(signal.SIGTERM)
        asked_at = since_boot()
        while self.is_alive() and since_boot() - asked_at < settings.RUN_GRACE.total_seconds():
            if since_boot() - pulse.tried_at >= pulse.lease / 4:
                pulse.beat()
            if pulse.is_lost:
                return
            time.sleep(POLL_SECONDS / 5)

    def end(self) -> int:
        """See that nothing of it is left. Returns its exit code."""
        self._signal(signal.SIGHUP)
        try:
            return self.guard.wait(KILL_SECONDS)
        except subprocess.TimeoutExpired:
            logger.warning("The guard %s did not end its lab in time; killing both.", self.pid)
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            return self.guard.wait()
        finally:
            if self.guard.stdin:
                self.guard.stdin.close()

    def _signal(self, number: signal.Signals) -> None:
        if self.is_alive():
            self.guard.send_signal(number)


def memory_kills() -> int:
    """How often the kernel has killed a process for want of memory, as far as we may know."""
    counted = 0
    for file in (Path("/proc/vmstat"), Path("/sys/fs/cgroup/memory.events")):
        with suppress(OSError, ValueError):
            for line in file.read_text().splitlines():
                if line.startswith("oom_kill "):
                    counted += int(line.split()[1])
    return counted


def _note_process(run: Run, pid: int) -> None:
    """For the operator who looks for it; nothing depends on it."""
    with suppress(Error):
        RunAttempt.objects.filter(run=run, number=run.attempt).update(pid=pid)


def _outcome(folder: Path, code: int, *, out_of_memory: bool) -> Ending:
    outcome = RunDirectory(folder).outcome()
    if outcome and outcome.succeeded:
        return Ending(How.DONE, summary=storable(outcome.summary))
    if outcome:
        return Ending(How.FAILED, outcome.reason, outcome.failure or Failure.CODE_ERROR, code)
    if code == guard.FENCED:
        return Ending(How.INTERRUPTED, _cut_off())
    if code in _ASKED_TO_STOP:
        return Ending(How.INTERRUPTED, _("Somebody asked its process to stop."))
    if code == -signal.SIGKILL:
        return _killed(out_of_memory)
    last = _last_lines(folder / LOG)
    return Ending(How.FAILED, _last_words(code, last), _class_of(last, folder), code)


def _killed(out_of_memory: bool) -> Ending:
    if out_of_memory:
        words = _(
            "The machine ran out of memory, and the system killed the training process. Use a smaller batch "
            "size, or shorter answers."
        )
        return Ending(How.FAILED, words, Failure.OUT_OF_MEMORY, -signal.SIGKILL)
    words = _(
        "The training process was killed from outside (SIGKILL). If nobody did that, the machine may have "
        "run out of memory: then use a smaller batch size, or shorter answers."
    )
    return Ending(How.BROKEN_OFF, words, Failure.LOST, -signal.SIGKILL)


def _class_of(last: Sequence[str], folder: Path) -> Failure:
    """A disk that is full has no room for last words."""
    failure = failure_in("\n".join(last))
    is_full = failure == Failure.CODE_ERROR and shutil.disk_usage(folder).free < 1 << 20
    return Failure.DISK_FULL if is_full else failure


def _last_lines(log: Path) -> list[str]:
    try:
        return log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-LAST_LINES:]
    except OSError:
        return []


def _last_words(code: int, last: Sequence[str]) -> str:
    if code < 0:
        name = signal.Signals(-code).name
        words = _("The training process was ended by the signal %(name)s.") % {"name": name}
    else:
        words = _("The training process ended with exit code %(code)d and gave no reason.") % {"code": code}
    if last:
        words += " " + _("The last line of its log: %(line)s") % {"line": last[-1][:500]}
    return words


def _left(pulse: Pulse) -> str:
    return _("Its worker was told to stop.") if pulse.stopping() else _cut_off()


def _cut_off() -> str:
    return _("The database could not be reached for too long, so the worker let go of the run.")


def _hung(pulse: Pulse) -> str:
    seconds = since_boot() - pulse.progress.changed_at
    return _("Nothing new came from the training process for %(minutes)d minutes, after step %(step)d.") % {
        "minutes": round(seconds / 60),
        "step": pulse.step,
    }
