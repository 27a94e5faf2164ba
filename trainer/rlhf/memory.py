"""What a run is going to hold in memory, item by item, against what the machine has."""

import resource
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from trainer.handoff.plans import MOMENTS, NEEDS, TOO_LARGE, Numbers, Said, filled
from trainer.rlhf.errors import TooLarge

ALWAYS = ""
HOST = "cpu"


@dataclass(frozen=True)
class Need:
    """Something that takes memory in each process."""

    what: str
    """One of ``NEEDS``, which has words for it."""
    bytes: int
    during: str = ALWAYS
    """One of ``MOMENTS``: when it is there; of two moments only one is ever now."""
    on: str = HOST
    """The device whose memory it takes."""
    numbers: Numbers = field(default_factory=dict)
    """What stands in its words."""

    @property
    def name(self) -> str:
        return filled(NEEDS[self.what][0], self.numbers)

    @property
    def why(self) -> str:
        return filled(NEEDS[self.what][1], self.numbers)


@dataclass(frozen=True)
class Plan:
    needs: Sequence[Need]
    available: dict[str, int]
    """Bytes by device, for each process."""

    def peak(self, device: str) -> int:
        """What is always there, and the most that any moment adds."""
        here = [need for need in self.needs if need.on == device]
        moments = {need.during for need in here if need.during}
        always = _total(need for need in here if not need.during)
        adds = (_total(need for need in here if need.during == moment) for moment in moments)
        return always + max(adds, default=0)

    def missing(self) -> list[str]:
        """The devices whose memory does not suffice."""
        return [device for device, free in self.available.items() if self.peak(device) > free]

    def check(self, changes: Sequence[Said]) -> None:
        """:raises LabError: it cannot fit; ``changes`` are what may make it fit."""
        for device in self.missing():
            largest = max((need for need in self.needs if need.on == device), key=lambda need: need.bytes)
            told = {
                "needed": readable(self.peak(device)),
                "device": device,
                "free": readable(self.available[device]),
                "part": largest.name,
                "size": readable(largest.bytes),
                "why": largest.why,
                "changes": ", ".join(change.text() for change in changes),
            }
            raise TooLarge(TOO_LARGE % told)

    def table(self) -> str:
        rows = [
            (need.name, readable(need.bytes), need.on, f"{MOMENTS[need.during]}: {need.why}")
            for need in self.needs
            if need.bytes
        ]
        for device, free in self.available.items():
            rows.append(("at most", readable(self.peak(device)), device, f"{readable(free)} are free"))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        return "\n".join(
            f"{name:<{widths[0]}}  {size:>{widths[1]}}  {on:<{widths[2]}}  {why}"
            for name, size, on, why in rows
        )


def readable(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def free_memory(device: torch.device, processes: int) -> dict[str, int]:
    """Bytes for each of the processes on this machine: of the device, and of the machine itself."""
    free = {HOST: free_host_memory() // processes}
    if device.type == "cuda":
        free[str(device)] = torch.cuda.mem_get_info(device)[0]
    return free


def free_host_memory(root: Path = Path("/")) -> int:
    """What the kernel says can be had, or what the container still may take, whichever is less."""
    lines = (root / "proc/meminfo").read_text().splitlines()
    [kilobytes] = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return min([kilobytes * 1024, *_left_in_containers(root / "sys/fs/cgroup")])


def _left_in_containers(folder: Path) -> Iterable[int]:
    """By both versions of control groups; nothing where there is no limit."""
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            yield max(int((folder / limit).read_text()) - int((folder / used).read_text()), 0)
        except (OSError, ValueError):  # not there, or "max"
            continue


def most_memory_held() -> int:
    """Bytes that this process has held at most so far: on its GPU, or else of the machine."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _total(needs: Iterable[Need]) -> int:
    return sum(need.bytes for need in needs)
