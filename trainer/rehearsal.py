"""Asking the lab what a run would do and need, without one. Nothing of the lab is imported here."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from trainer.handoff.rundir import RunDirectory, RunSpec

SECONDS = 60
"""No page waits longer; the node looks again in any case."""
_PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Rehearsal:
    told: dict[str, Any] = field(default_factory=dict)
    """What ``--dry-run json`` says: facts, rows, tokens, needs, available, peaks."""
    trouble: str = ""
    """Why it could not be carried out, in the lab's words."""
    is_over: bool = True
    """False: it took too long."""


def is_possible() -> bool:
    """Whether the lab can be started on this machine. The web's image has no torch."""
    return find_spec("torch") is not None


def rehearse(
    spec: RunSpec, files: Mapping[str, Path], prepare: Callable[[RunDirectory], None] = lambda directory: None
) -> Rehearsal:
    """What such a run would do and need on this machine. ``prepare`` adds what else it reads."""
    # Whoever waits for a page does not wait for a download.
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1"}
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        directory = RunDirectory.create(Path(folder) / "run", spec, files)
        prepare(directory)
        command = [sys.executable, "-m", "trainer.rlhf", str(directory.path), "--dry-run", "json"]
        try:
            ended = subprocess.run(  # noqa: S603  # our own module, started with our own interpreter
                command, cwd=_PROJECT, env=environment, capture_output=True, text=True, timeout=SECONDS
            )
        except subprocess.TimeoutExpired:
            return Rehearsal(is_over=False)
    told = ended.stdout.strip().splitlines()
    said = ended.stderr.strip().splitlines()
    return Rehearsal(
        told=json.loads(told[-1]) if told and told[-1].startswith("{") else {},
        trouble=said[-1] if ended.returncode and said else "",
    )
