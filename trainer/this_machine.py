"""What a node tells of itself. torch is asked nothing: importing it here would hold a GPU for nobody."""

import platform
import shutil
import socket
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from django.conf import settings

PACKAGES = ("torch", "transformers", "accelerate", "celery", "kombu", "django")
_MEMORY_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def place() -> dict[str, str]:
    return {"host": socket.gethostname(), "boot_id": boot_id()}


def free_port() -> int:
    """One that nobody listens on just now."""
    with socket.socket() as listener:
        listener.bind(("", 0))
        port: int = listener.getsockname()[1]
    return port


def boot_id() -> str:
    return _text(Path("/proc/sys/kernel/random/boot_id"))


def devices() -> list[dict[str, Any]]:
    """The GPUs, each with its name and its memory in bytes; none where the driver finds none."""
    if not shutil.which("nvidia-smi"):
        return []
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        listed = subprocess.run(query, capture_output=True, text=True, timeout=20)  # noqa: S603  # ours
    except (OSError, subprocess.TimeoutExpired):
        return []
    rows = [line.rpartition(",") for line in listed.stdout.splitlines() if "," in line]
    return [
        {"name": name.strip(), "memory": int(mebibytes) << 20}
        for name, _comma, mebibytes in rows
        if mebibytes.strip().isdecimal()
    ]


def processes() -> int:
    """How many share a run here, unless the run asks for fewer."""
    return settings.NODE_DEVICES or _device_count() or 1


@cache
def _device_count() -> int:
    # Whoever looks at the queue asks, and the driver takes its time.
    return len(devices())


def memory() -> int:
    """Bytes that may be used here: the machine's, or fewer in a container."""
    lines = _text(Path("/proc/meminfo")).splitlines()
    total = next((int(line.split()[1]) << 10 for line in lines if line.startswith("MemTotal:")), 0)
    limits = [int(text) for file in _MEMORY_LIMITS if (text := _text(file)).isdecimal()]
    return min([total, *limits])


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def free_disk(folder: Path) -> int:
    """Bytes that are free where ``folder`` is, or will be."""
    existing = next(place for place in (folder, *folder.resolve().parents) if place.exists())
    return shutil.disk_usage(existing).free


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
