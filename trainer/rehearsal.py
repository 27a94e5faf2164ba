"""Asking the lab on this machine what a run would do and need. Nothing of the lab is imported here."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer import this_machine
from trainer.clocks import since_boot
from trainer.guard import die_with
from trainer.handoff.rundir import RunDirectory

SECONDS = 120.0
"""Nobody waits longer for an answer; the node that takes the run looks again in any case."""
POLL_SECONDS = 0.5
_PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Answer:
    told: dict[str, Any] = field(default_factory=dict)
    """What ``--dry-run json`` says: facts, rows, tokens, needs, available, peaks, changes."""
    trouble: str = ""
    """Why it could not be carried out, in the lab's words."""
    took_too_long: bool = False


def rehearse(
    directory: RunDirectory, stopping: Callable[[], bool], *, nodes: int, devices: int
) -> Answer | None:
    """What such a run would do and need here; None where the worker has to leave."""
    lab = subprocess.Popen(  # noqa: S603  # our own module, started with our own interpreter
        lab_command(directory, nodes, devices),
        cwd=_PROJECT,
        # Whoever waits for an answer does not wait for a download.
        env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_behind_all_else(os.getpid()),
    )
    with lab:
        return _listen(lab, stopping)


def lab_command(directory: RunDirectory, nodes: int, devices: int) -> list[str]:
    shared_by = ["--nodes", str(nodes), "--processes", str(devices or this_machine.processes())]
    return [sys.executable, "-m", "trainer.rlhf", str(directory.path), "--dry-run", "json", *shared_by]


def _listen(lab: "subprocess.Popen[str]", stopping: Callable[[], bool]) -> Answer | None:
    until = since_boot() + SECONDS
    while True:
        try:
            told, said = (text.strip().splitlines() for text in lab.communicate(timeout=POLL_SECONDS))
        except subprocess.TimeoutExpired:
            if stopping() or since_boot() > until:
                lab.kill()
                return None if stopping() else Answer(took_too_long=True)
            continue
        return Answer(
            told=json.loads(told[-1]) if told and told[-1].startswith("{") else {},
            trouble=said[-1] if lab.returncode and said else "",
        )


def _behind_all_else(parent: int):  # type: ignore[no-untyped-def]  # a function for the child
    """In the child: runs go first, and it does not outlive us."""
    tie = die_with(parent)

    def begin() -> None:
        tie()
        os.nice(10)

    return begin
