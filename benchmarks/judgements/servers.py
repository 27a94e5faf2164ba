"""Child processes that serve while something is measured, and progress for whoever waits."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.figures import ROOT

PATIENCE_SECONDS = 120
GRACE_SECONDS = 20

_begun = time.monotonic()


def say(words: str) -> None:
    """Progress, beside the figures."""
    print(f"[{time.monotonic() - _begun:6.0f} s] {words}", file=sys.stderr, flush=True)


@contextmanager
def running(
    command: list[str], *, environment: dict[str, str], log: Path, cwd: Path = ROOT, **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """A server that ends with us, its children included."""
    with log.open("ab") as said:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
            **options,
        )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """:raises SystemExit: it does not answer."""
    end = time.monotonic() + PATIENCE_SECONDS
    while server.poll() is None and time.monotonic() < end:
        with suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.1)
    raise SystemExit(f"nothing answers at {url}:\n{log.read_text(errors='replace')[-2000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
