"""Several processes for one run, on one machine or on several, by torch's own launcher."""

import ctypes
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STOPPED = 143
"""The exit code of a run that was told to stop and has saved its state."""
_PR_SET_PDEATHSIG = 1


def are_launched() -> bool:
    """Whether a launcher (``torchrun``, ``accelerate launch``, or ``launch`` here) has started us."""
    return "LOCAL_RANK" in os.environ


@dataclass(frozen=True)
class Place:
    """Of this machine among those that share a run."""

    nodes: int = 1
    rank: int = 0
    meet: str = ""
    """HOST:PORT of the first one, where all find each other."""

    def config(self, count: int) -> Any:
        """For torch's launcher, with ``count`` processes on each machine."""
        from torch.distributed.launcher.api import LaunchConfig

        alone = self.nodes == 1
        return LaunchConfig(
            min_nodes=self.nodes,
            max_nodes=self.nodes,
            nproc_per_node=count,
            run_id="rankwright",
            rdzv_backend="c10d" if alone else "static",
            rdzv_endpoint="localhost:0" if alone else self.meet,
            rdzv_configs={"rank": self.rank},
            max_restarts=0,
        )


def launch(count: int, run_dir: Path, place: Place) -> int:
    """Run the lab in ``count`` processes here until they end. Returns 0, ``STOPPED`` where they were told to
    stop (SIGTERM), or how the first one failed: its exit code, below zero the signal that ended it."""
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import elastic_launch

    if count > 1:  # as torchrun does: together they have no more cores than one has
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        elastic_launch(place.config(count), sys.executable)("-m", "trainer.rlhf", str(run_dir))
    except SignalException:
        return STOPPED
    except ChildFailedError as failed:
        _rank, first = failed.get_first_failure()
        return int(first.exitcode)
    return 0


def die_with_parent() -> None:
    """Nobody trains on when who started us is killed: the launcher gives each process a session of its own,
    so that no signal to a group reaches it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
