"""Stands between a worker and its lab: ``python guard.py SECONDS COMMAND…``. Nothing of the lab outlives it.

A byte on standard input says that the worker's lease holds. The lab and all that it started are killed when
the worker died, when it asks for that (SIGHUP), or when nothing came for SECONDS: then another worker may
have the run, however well this one may be (it may be stopped, or cut off from the database). SIGTERM is
passed on to the lab. The guard ends as the lab did.

Standard library alone, and no import of ours: it starts in milliseconds, and a file of ours cannot break it.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

FENCED = 75
"""Its exit code when it has ended the lab because the lease may be over."""
POLL_SECONDS = 0.2
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_libc = ctypes.CDLL(None)


def main() -> int:
    seconds, command = float(sys.argv[1]), sys.argv[2:]
    parent = os.getppid()
    guard = Guard(command)
    signal.signal(signal.SIGTERM, guard.pass_on)
    signal.signal(signal.SIGHUP, guard.give_up)
    # Orphans become our children instead of init's: what a launcher leaves behind can be found.
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGHUP)
    guard.start()
    code = guard.watch(seconds, parent)
    kill_all_below()
    if code < 0:
        # The worker shall see the signal that ended the lab.
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    return code


class Guard:
    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.is_over = False
        self.told_to_stop = False
        self.lab: subprocess.Popen[bytes] | None = None

    def pass_on(self, number: int, frame: FrameType | None) -> None:
        self.told_to_stop = True
        if self.lab:
            self.lab.terminate()

    def give_up(self, number: int, frame: FrameType | None) -> None:
        self.is_over = True

    def start(self) -> None:
        self.lab = subprocess.Popen(  # noqa: S603  # what our worker named
            self.command, stdin=subprocess.DEVNULL, preexec_fn=die_with(os.getpid())
        )
        if self.told_to_stop:
            self.lab.terminate()

    def watch(self, seconds: float, parent: int) -> int:
        """The lab's exit code, or how we ended it."""
        assert self.lab
        renewed = _clock()
        while (code := self.lab.poll()) is None:
            if self.is_over or os.getppid() != parent:
                return -signal.SIGKILL
            if select.select([0], [], [], POLL_SECONDS)[0]:
                if not os.read(0, 4096):
                    return -signal.SIGKILL
                renewed = _clock()
            if _clock() - renewed > seconds:
                return FENCED
        return code


def kill_all_below() -> None:
    """Until nobody is left: who is forked meanwhile is found in the next round."""
    while True:
        for pid in _below(os.getpid()):
            _kill(pid)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)


def _below(pid: int) -> list[int]:
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):  # it ended while we looked
            continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _clock() -> float:
    """Goes on while the machine sleeps, and nobody can set it."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def die_with(parent: int):  # type: ignore[no-untyped-def]  # a function for the child
    """In the child: when the guard itself is killed, the lab goes as well."""

    def tie() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the tie was made
            os._exit(1)

    return tie


if __name__ == "__main__":
    sys.exit(main())
