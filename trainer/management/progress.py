"""What a command shows while it waits."""

import shutil
import sys
import time

from trainer.models import Run

WIDTH = 24
POLL_SECONDS = 0.3


class ProgressBar:
    """A line that fills up. Where nobody watches (no terminal) only its end is written."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.started = time.monotonic()

    def show(self, done: int, total: int, note: str = "") -> None:
        if sys.stdout.isatty():
            columns = shutil.get_terminal_size().columns - 1
            sys.stdout.write("\r" + self._line(done, total, note)[:columns])
            sys.stdout.flush()

    def end(self, note: str = "") -> None:
        sys.stdout.write(("\r" if sys.stdout.isatty() else "") + self._line(1, 1, note).rstrip() + "\n")
        sys.stdout.flush()

    def _line(self, done: int, total: int, note: str) -> str:
        share = min(1.0, done / total) if total else 0.0
        bar = "█" * round(share * WIDTH)
        seconds = time.monotonic() - self.started
        return f"{self.name:<28} {bar:·<{WIDTH}} {seconds:5.0f} s  {note:<40}"


def wait_for(run: Run, bar: ProgressBar) -> None:
    """Follow ``run`` until it is over, and leave it as it ended."""
    while not run.is_final:
        bar.show(run.step, run.steps, f"{run.get_status_display()} {run.step}/{run.steps or '?'}")
        time.sleep(POLL_SECONDS)
        run.refresh_from_db()
