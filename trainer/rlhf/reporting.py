"""Metrics out, stop requests in, and the clock between steps."""

import math
import shutil
import signal
import sys
import time
from types import FrameType

from trainer.handoff.rundir import RunDirectory
from trainer.rlhf.errors import NotANumber, Stopped
from trainer.rlhf.memory import most_memory_held
from trainer.rlhf.trackers import Trackers


class Reporter:
    """One per process; only the first one writes."""

    def __init__(self, directory: RunDirectory, *, writes: bool = True) -> None:
        self.directory, self.writes = directory, writes
        self.trackers = Trackers(directory)
        self.stopping = False
        self._begun = self._last = time.monotonic()
        self._begun_at: int | None = None

    def stop_on_sigterm(self) -> None:
        signal.signal(signal.SIGTERM, self._ask_to_stop)

    def step(self, step: int, steps: int, *, tokens: float = 0, **values: float) -> None:
        """Log the step's metrics.

        :raises LabError: the loss or its gradient is no number any more.
        """
        now = time.monotonic()
        if tokens:
            values["tokens_per_second"] = tokens / max(now - self._last, 1e-9)
            values["memory_mb"] = most_memory_held() / 1e6
        self._last = now
        # A gradient without a norm has just spoiled the weights, even if the loss was fine before.
        for name in ("loss", "policy_loss", "value_loss", "grad_norm"):
            if not math.isfinite(values.get(name, 0.0)):
                raise NotANumber(
                    f"The {name} became {values[name]} at step {step}. Try a smaller learning_rate, "
                    "or dtype=float32."
                )
        if not self.writes:
            return
        self.trackers.show(self.directory.log_metrics(step=step, steps=steps, **_rounded(values)))
        shown = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
        if sys.stderr.isatty():
            self._redraw(f"step {step}/{steps}  {self._clock(step, steps)}  {shown}")
        else:
            print(f"step {step}/{steps}  {shown}", file=sys.stderr, flush=True)

    def check(self) -> None:
        """:raises Stopped: somebody asked the run to stop."""
        if self.stopping:
            raise Stopped

    def _clock(self, step: int, steps: int) -> str:
        """The time since the start, and the time to go, judged by the steps since the start."""
        if self._begun_at is None:  # a resumed run does not begin at 1
            self._begun_at = step - 1
        elapsed = self._last - self._begun
        to_go = elapsed / max(step - self._begun_at, 1) * (steps - step)
        return f"{_minutes(elapsed)} done, {_minutes(to_go)} to go"

    def _redraw(self, line: str) -> None:
        """On a terminal one line is enough: it is written over the one before."""
        width = shutil.get_terminal_size().columns - 1
        print(f"\r\x1b[K{line[:width]}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """After the last step: what comes next starts a line of its own."""
        self.trackers.close()
        if self.writes and sys.stderr.isatty() and self._begun_at is not None:
            print(file=sys.stderr, flush=True)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 3600}:{int(seconds) // 60 % 60:02}:{int(seconds) % 60:02}"


def _rounded(values: dict[str, float]) -> dict[str, float]:
    """Six significant digits: what a chart needs, not what a float holds."""
    return {name: float(f"{value:.6g}") for name, value in values.items()}
