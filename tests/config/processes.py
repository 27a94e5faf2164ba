"""Real processes in tests: waiting for them, and looking whether they live."""

import os
import socket
import time
from pathlib import Path


def wait_until(condition, seconds=60):
    """What the condition said when it came true; fails when it never does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if outcome := condition():
            return outcome
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} seconds")


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def descendants(pid):
    """Every process below ``pid``."""
    children = [child for child in map(int, filter(str.isdigit, os.listdir("/proc"))) if parent(child) == pid]
    return children + [grandchild for child in children for grandchild in descendants(child)]


def parent(pid):
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
