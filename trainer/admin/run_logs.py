"""What the lab printed in each attempt at a run, as far as this machine has it."""

from pathlib import Path
from typing import Any

from trainer.launch import LOG
from trainer.models import Run

TAIL_BYTES = 16 * 1024


def logs_of(run: Run) -> list[dict[str, Any]]:
    """The ends of the attempts' logs, newest first. One on another machine, or gone, has none."""
    found = [(number, _tail(log_of(run, number))) for number in range(run.attempt, 0, -1)]
    return [{"attempt": number, "tail": tail} for number, tail in found if tail]


def log_of(run: Run, attempt: int) -> Path:
    return run.folder_of(attempt) / LOG


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            return file.read(TAIL_BYTES).decode("utf-8", errors="replace").strip()
    except OSError:
        return ""
