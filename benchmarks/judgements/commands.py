"""Management commands that are weighed while others watch."""

import json
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import ROOT
from benchmarks.judgements.places import Place
from benchmarks.judgements.servers import say

LOOK_SECONDS = 0.02
TELL_SECONDS = 15
SOME_BYTES = 1000
"""More than a container's first few, which say nothing yet."""


@dataclass(frozen=True)
class Weighed:
    begun_at: float
    """When Django had started, by the clock on the wall."""
    seconds: float
    start_mb: float
    peak_mb: float
    first_byte_at: float = 0.0

    @property
    def first_byte_seconds(self) -> float:
        return self.first_byte_at - self.begun_at

    @property
    def growth_mb(self) -> float:
        return self.peak_mb - self.start_mb


def begin(there: Place, *command: str) -> "subprocess.Popen[bytes]":
    """The command, under way; it leaves what it weighed for ``weighed``."""
    call = [sys.executable, "-m", "benchmarks.judgements.weigh", str(there.folder / "weighed.json"), *command]
    with (there.folder / "command.log").open("wb") as log:
        return subprocess.Popen(call, cwd=ROOT, env=there.environment, stdout=log, stderr=log)


def weighed(there: Place, process: "subprocess.Popen[bytes]", first_byte_at: float = 0.0) -> Weighed:
    """:raises SystemExit: it failed."""
    if process.wait():
        raise SystemExit((there.folder / "command.log").read_text(errors="replace")[-3000:])
    return Weighed(**json.loads((there.folder / "weighed.json").read_text()), first_byte_at=first_byte_at)


def run(there: Place, *command: str, into: Path | None = None) -> Weighed:
    """The command to its end. With ``into``, when its first bytes stood there."""
    say(f"  {' '.join(command[:4])}")
    process = begin(there, *command)
    started = told = time.monotonic()
    first = 0.0
    while process.poll() is None:
        time.sleep(LOOK_SECONDS)
        if into and not first and _bytes_in(into) > SOME_BYTES:
            first = time.time()
        if time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            say(f"    {told - started:.0f} s")
    return weighed(there, process, first or time.time())


def said(there: Place) -> str:
    return (there.folder / "command.log").read_text(errors="replace")


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        # It may be renamed while we look.
        with suppress(OSError):
            total += path.stat().st_size
    return total
