"""Whether a run still gets on. A process that lives may hang: in a deadlock, or waiting for another one."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

from trainer.clocks import since_boot
from trainer.handoff.rundir import CHECKPOINTS, METRICS, SAMPLES

STEPS = 20
"""So many usual steps without anything new are too long."""
BEFORE_THE_FIRST = 6
"""Weights may have to be fetched first, and nobody knows yet how long a step takes."""
LATEST = 200
_TELLING = (METRICS, SAMPLES, "log.txt", CHECKPOINTS, "result.unfinished")


class Progress:
    """Looks at what the lab writes into its run directory."""

    def __init__(self, folder: Path, *, least: float) -> None:
        """``least``: seconds of silence that are never too long."""
        self.folder, self.least = folder, least
        self.marks = self._marks()
        self.changed_at = since_boot()

    def look(self) -> bool:
        """Whether anything is new since the last look."""
        marks = self._marks()
        if marks == self.marks:
            return False
        self.marks, self.changed_at = marks, since_boot()
        return True

    def is_hung(self, times: Sequence[float]) -> bool:
        """``times``: when the steps so far were logged, in seconds."""
        return since_boot() - self.changed_at > longest_silence(times, self.least)

    def _marks(self) -> list[tuple[int, int]]:
        found = []
        for name in _TELLING:
            try:
                about = (self.folder / name).stat()
            except OSError:
                continue
            found.append((about.st_mtime_ns, about.st_size))
        return found


def longest_silence(times: Sequence[float], least: float) -> float:
    """Seconds."""
    usual = [later - earlier for earlier, later in pairwise(times[-LATEST:])]
    return max(least, STEPS * median(usual)) if usual else BEFORE_THE_FIRST * least
