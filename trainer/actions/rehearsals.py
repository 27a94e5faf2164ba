"""Asking a node what a run would do and need, before there is one: the web neither waits nor has torch."""

import hashlib
import json
import math
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from trainer import dispatch, rehearsal, shelf, this_machine
from trainer.actions.layout import code_version, lay_out_inputs
from trainer.clocks import since_boot
from trainer.handoff.endpoints import is_endpoint
from trainer.handoff.rundir import RunSpec
from trainer.models import Checkpoint, Rehearsal, Snapshot
from trainer.pulse import BEAT_SECONDS, Leaving

LEASE = timedelta(seconds=rehearsal.SECONDS + 30)


def ask_for_rehearsal(
    *,
    kind: str,
    snapshot: Snapshot,
    base: Checkpoint,
    reward: Checkpoint | None,
    holdout: Checkpoint | None = None,
    settings: Mapping[str, Any],
    nodes: int = 1,
    devices: int = 0,
    now: datetime,
) -> Rehearsal:
    """The answer that is there, or a row in which a node will write one: of its share, where several nodes
    are to share the run."""
    asked: dict[str, Any] = {
        "kind": kind,
        "snapshot": snapshot,
        "base_model": base.location,
        "base_digest": base.digest,
        "reward": reward,
        "holdout": holdout,
        "config": dict(settings),
        "nodes": nodes,
        "devices": devices,
    }
    shelf.share_snapshot(snapshot)
    row, is_new = Rehearsal.objects.get_or_create(digest=_digest(asked), defaults={**asked, "asked_at": now})
    if is_new or row.ask_again(now=now):
        dispatch.ring()
    return row


def claim_next_rehearsal(*, worker: str, now: datetime) -> Rehearsal | None:
    """What was asked first of those that this machine has enough devices for."""
    here = Rehearsal.objects.waiting(now).filter(devices__lte=this_machine.processes())
    for row in here.order_by("asked_at"):
        if row.claim(worker, now=now, lease=LEASE):
            return row
    return None


def carry_out_rehearsal(
    row: Rehearsal, *, runs_beside: int, clock: Callable[[], datetime], stopping: Callable[[], bool]
) -> None:
    """On a node: ask the lab, and write down what it says."""
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        try:
            said = _ask_the_lab(row, Path(folder) / "run", clock, stopping)
        except Leaving:
            row.let_go()
            return
    row.answer(
        now=clock(),
        told=said.told,
        trouble=said.trouble,
        took_too_long=said.took_too_long,
        runs_beside=runs_beside,
    )


def _ask_the_lab(
    row: Rehearsal, folder: Path, clock: Callable[[], datetime], stopping: Callable[[], bool]
) -> rehearsal.Answer:
    """Empty where something that such a run reads cannot be had here.

    :raises Leaving: this worker has to leave, or another one has the question by now.
    """
    try:
        directory = lay_out_inputs(row, folder, _Hold(row, clock, stopping).watch)
    except FileNotFoundError:
        return rehearsal.Answer()
    if not _are_here(directory.spec()):
        return rehearsal.Answer()
    said = rehearsal.rehearse(directory, stopping, nodes=row.nodes, devices=row.devices)
    if said is None:
        raise Leaving
    return said


class _Hold:
    """Keeps the question while what such a run reads is brought here, which may take longer than a lease."""

    def __init__(self, row: Rehearsal, clock: Callable[[], datetime], stopping: Callable[[], bool]) -> None:
        self.row, self.clock, self.stopping = row, clock, stopping
        self.renewed_at = -math.inf

    def watch(self) -> None:
        """:raises Leaving: as above."""
        if self.stopping():
            raise Leaving
        if since_boot() - self.renewed_at >= BEAT_SECONDS:
            self.renewed_at = since_boot()
            if not self.row.extend(now=self.clock(), lease=LEASE):
                raise Leaving


def _digest(asked: Mapping[str, Any]) -> str:
    plain = {name: getattr(value, "pk", value) for name, value in asked.items()}
    # What another version of the lab said counts for nothing.
    text = json.dumps({**plain, "code": code_version()}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _are_here(spec: RunSpec) -> bool:
    """The models. What a hub has, it has for the run: nobody who waits for an answer waits for that."""
    places = [spec.base_model, spec.reward_model, spec.holdout_reward]
    return all(is_endpoint(place) or Path(place).is_dir() for place in places if place)
