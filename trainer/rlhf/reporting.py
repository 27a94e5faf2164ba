"""Metrics out, stop requests in, and the clock between steps."""

import math
import signal
import sys
import time
from types import FrameType

from trainer.handoff.rundir import RunDirectory
from trainer.rlhf.errors import LabError, Stopped


class Reporter:
    """One per process; only the first one writes."""

    def __init__(self, directory: RunDirectory, *, writes: bool = True) -> None:
        self.directory, self.writes = directory, writes
        self.stopping = False
        self._last = time.monotonic()

    def stop_on_sigterm(self) -> None:
        signal.signal(signal.SIGTERM, self._ask_to_stop)

    def step(self, step: int, steps: int, *, tokens: float = 0, **values: float) -> None:
        """Log the step's metrics.

        :raises LabError: the loss or its gradient is no number any more.
        """
        now = time.monotonic()
        if tokens:
            values["tokens_per_second"] = tokens / max(now - self._last, 1e-9)
        self._last = now
        # A gradient without a norm has just spoiled the weights, even if the loss was fine before.
        for name in ("loss", "policy_loss", "value_loss", "grad_norm"):
            if not math.isfinite(values.get(name, 0.0)):
                raise LabError(
                    f"The {name} became {values[name]} at step {step}. Try a smaller learning_rate, "
                    "or dtype=float32."
                )
        if not self.writes:
            return
        self.directory.log_metrics(step=step, steps=steps, **_rounded(values))
        shown = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
        print(f"step {step}/{steps}  {shown}", file=sys.stderr, flush=True)

    def check(self) -> None:
        """:raises Stopped: somebody asked the run to stop."""
        if self.stopping:
            raise Stopped

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True


def _rounded(values: dict[str, float]) -> dict[str, float]:
    """Six significant digits: what a chart needs, not what a float holds."""
    return {name: float(f"{value:.6g}") for name, value in values.items()}
