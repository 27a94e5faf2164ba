"""Asking a node what a run would do and need, before there is one: the web neither waits nor has torch."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from trainer import dispatch, rehearsal, shelf
from trainer.actions.candidates_to_judge import write_candidates
from trainer.actions.layout import READ_DEMONSTRATIONS, code_version, demonstrations_behind
from trainer.handoff.endpoints import is_endpoint
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.models import Checkpoint, Rehearsal, Run, Snapshot

LEASE = timedelta(seconds=rehearsal.SECONDS + 30)


def ask_for_rehearsal(
    *,
    kind: str,
    snapshot: Snapshot,
    base: Checkpoint,
    reward: Checkpoint | None,
    settings: Mapping[str, Any],
    now: datetime,
) -> Rehearsal:
    """The answer that is there, or a row in which a node will write one."""
    asked: dict[str, Any] = {
        "kind": kind,
        "snapshot": snapshot,
        "base_model": base.location,
        "base_digest": base.digest,
        "reward": reward,
        "config": dict(settings),
    }
    row, is_new = Rehearsal.objects.get_or_create(digest=_digest(asked), defaults={**asked, "asked_at": now})
    if is_new or row.ask_again(now=now):
        dispatch.ring()
    return row


def claim_next_rehearsal(*, worker: str, now: datetime) -> Rehearsal | None:
    for row in Rehearsal.objects.waiting(now).order_by("asked_at"):
        if row.claim(worker, now=now, lease=LEASE):
            return row
    return None


def carry_out_rehearsal(
    row: Rehearsal, *, runs_beside: int, clock: Callable[[], datetime], stopping: Callable[[], bool]
) -> None:
    """On a node: ask the lab, and write down what it says."""
    base, reward = row.base, row.reward
    shelf.fetch_snapshot(row.snapshot, lambda: None)
    if not _is_here(row.snapshot, base, reward):
        row.answer(now=clock(), runs_beside=runs_beside)
        return
    said = rehearsal.rehearse(
        _spec(row, base, reward), _files(row, base), stopping, lambda directory: _prepare(row, directory)
    )
    if said is None:
        row.let_go()
        return
    row.answer(
        now=clock(),
        told=said.told,
        trouble=said.trouble,
        took_too_long=said.took_too_long,
        runs_beside=runs_beside,
    )


def _digest(asked: Mapping[str, Any]) -> str:
    plain = {name: getattr(value, "pk", value) for name, value in asked.items()}
    # What another version of the lab said counts for nothing.
    text = json.dumps({**plain, "code": code_version()}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _is_here(snapshot: Snapshot, base: Checkpoint, reward: Checkpoint | None) -> bool:
    places = [shelf.place_here(one) for one in (base, reward) if one]
    return snapshot.file.exists() and all(is_endpoint(place) or Path(place).is_dir() for place in places)


def _spec(row: Rehearsal, base: Checkpoint, reward: Checkpoint | None) -> RunSpec:
    return RunSpec(
        kind=row.kind,
        config=row.config,
        base_model=shelf.place_here(base),
        reward_model=shelf.place_here(reward) if reward else None,
        base_digest=base.digest,
        reward_digest=reward.digest if reward else None,
        snapshot_digest=row.snapshot.digest,
        code_version=code_version(),
    )


def _files(row: Rehearsal, base: Checkpoint) -> dict[str, Path]:
    files = {row.snapshot.file.name: row.snapshot.file}
    taught_by = demonstrations_behind(base) if row.kind in READ_DEMONSTRATIONS else None
    if taught_by and taught_by.file.exists():
        files["demonstrations.parquet"] = taught_by.file
    return files


def _prepare(row: Rehearsal, directory: RunDirectory) -> None:
    if row.kind == Run.Kind.JUDGE:
        write_candidates(row.snapshot, directory, lambda: None)
