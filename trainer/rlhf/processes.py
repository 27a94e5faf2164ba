"""Several processes for one run on this machine, by torch's own launcher."""

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1


def are_launched() -> bool:
    """Whether a launcher (``torchrun``, ``accelerate launch``, or ``launch`` here) has started us."""
    return "LOCAL_RANK" in os.environ


def launch(count: int, run_dir: Path) -> bool:
    """Run the lab in ``count`` processes until they end. Returns whether they were told to stop (SIGTERM)."""
    command = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    launcher = subprocess.Popen(  # noqa: S603  # our own module, started with our own interpreter
        [sys.executable, *command, "-m", "trainer.rlhf", str(run_dir)], preexec_fn=die_with_parent
    )
    told = False

    def pass_on(number: int, frame: FrameType | None) -> None:
        nonlocal told
        told = True
        launcher.terminate()

    signal.signal(signal.SIGTERM, pass_on)
    launcher.wait()
    return told


def die_with_parent() -> None:
    """Nobody trains on when who started us is killed: the launcher gives each process a session of its own,
    so that no signal to a group reaches it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
