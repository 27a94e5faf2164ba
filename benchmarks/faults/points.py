"""Named moments of a run at which a process waits to be killed. The product knows nothing of them."""

import os
import time
from pathlib import Path

POINTS = ("claim", "spawn", "step", "write", "fsync", "rename", "result", "done", "publish")
"""In the order of a run's life. The worker is at the first two and at the last, the lab at the others."""
OF_THE_WORKER = ("claim", "spawn", "publish")
FOLDER = "RANKWRIGHT_FAULTS"


class Trap:
    """The driver's end: sets one moment, and hears who waits there."""

    def __init__(self, folder: Path) -> None:
        self.wanted, self.reached, self.released = folder / "wanted", folder / "reached", folder / "released"

    def set(self, point: str) -> None:
        for file in (self.wanted, self.reached, self.released):
            file.unlink(missing_ok=True)
        self.wanted.write_text(point)

    def caught(self) -> int:
        """The process that waits there; 0 while nobody does."""
        return int(self.reached.read_text() or 0) if self.reached.exists() else 0

    def release(self) -> None:
        self.released.touch()


def wait_at(point: str) -> None:
    """Wait here if this is the moment: the first who comes, and only once."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return
    trap = Trap(Path(folder))
    if not trap.wanted.exists() or trap.wanted.read_text() != point:
        return
    try:
        mark = os.open(trap.reached, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        return
    os.write(mark, str(os.getpid()).encode())
    while not trap.released.exists():
        time.sleep(0.02)
