"""The run directory that the lab reads, laid out on the node that carries the run out or helps with it."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from trainer import shelf
from trainer.actions.candidates_to_judge import write_candidates, write_guideline
from trainer.handoff.rundir import BASELINE, TAUGHT, RunDirectory, RunSpec
from trainer.models import Checkpoint, Rehearsal, Run, Snapshot

_TRAINER = Path(__file__).resolve().parent.parent
READ_DEMONSTRATIONS = {Run.Kind.REWARD, Run.Kind.PPO, Run.Kind.EVALUATE}


@dataclass
class Found:
    """What earlier attempts have saved."""

    step: int | None = None
    """Which state this attempt goes on from; None: from the start."""
    attempt: int = 0
    spoilt: list[str] = field(default_factory=list)
    """Newer states that cannot be read, as attempt/step."""


def lay_out(run: Run, folder: Path, watch: shelf.Watch) -> Found:
    """Fill ``folder`` with settings, data and the newest state that an earlier attempt has saved whole."""
    return _take_over(run, lay_out_inputs(run, folder, watch), watch)


def lay_out_inputs(asked: Run | Rehearsal, folder: Path, watch: shelf.Watch) -> RunDirectory:
    """Settings and data, brought here where they are elsewhere.

    :raises FileNotFoundError: the snapshot is on none of the disks that this machine reaches.
    """
    base, reward, holdout = asked.given("base"), asked.given("reward"), asked.holdout
    assert base is not None  # queue_run asks for one
    reference = start_of(base) if asked.kind == Run.Kind.EVALUATE else None
    spec = RunSpec(
        kind=asked.kind,
        config=asked.config,
        base_model=shelf.local_place(base, watch),
        reward_model=shelf.local_place(reward, watch) if reward else None,
        holdout_reward=shelf.local_place(holdout, watch) if holdout else None,
        reference_model=shelf.local_place(reference, watch) if reference else None,
        base_digest=base.digest,
        reward_digest=reward.digest if reward else None,
        snapshot_digest=asked.snapshot.digest,
        code_version=code_version(),
    )
    directory = RunDirectory.create(folder, spec, _files(asked, base, watch))
    if asked.kind == Run.Kind.JUDGE:
        write_candidates(asked.snapshot, directory, watch)
    write_guideline(asked, directory)
    if before := asked.config.get("against"):
        baseline = Run.objects.select_related("artifact").get(pk=before)
        shelf.fetch_made(baseline, directory.data_path(BASELINE), watch)
    watch()
    return directory


def _files(asked: Run | Rehearsal, base: Checkpoint, watch: shelf.Watch) -> dict[str, Path]:
    shelf.fetch_snapshot(asked.snapshot, watch)
    files = {asked.snapshot.file.name: asked.snapshot.file}
    taught_by = demonstrations_behind(base) if asked.kind in READ_DEMONSTRATIONS else None
    if taught_by:
        shelf.fetch_snapshot(taught_by, watch)
    # They may have been deleted since, for the sake of somebody who was erased.
    if taught_by and taught_by.file.exists():
        files["demonstrations.parquet"] = taught_by.file
    return files


def _take_over(run: Run, directory: RunDirectory, watch: shelf.Watch) -> Found:
    found = Found()
    for attempt in range(run.attempt - 1, 0, -1):
        shelf.fetch_saved(run, attempt, watch)
        earlier = RunDirectory(run.folder_of(attempt))
        step = directory.take_over(earlier, watch=watch)
        if not (directory.path / TAUGHT).exists():
            directory.take_taught(earlier)
        if run.is_synthetic:
            step = directory.take_lines(earlier)
        found.spoilt += [f"{attempt}/{one}" for one in earlier.steps_saved() if step is None or one > step]
        if step is not None:
            found.step, found.attempt = step, attempt
            break
    return found


def demonstrations_behind(checkpoint: Checkpoint | None) -> Snapshot | None:
    """What the supervised run learned from that this checkpoint goes back to; None if there was none."""
    while checkpoint and checkpoint.produced_by:
        run = checkpoint.produced_by
        if run.kind == Run.Kind.SFT:
            return run.snapshot
        checkpoint = run.given("base")
    return None


def start_of(checkpoint: Checkpoint) -> Checkpoint | None:
    """What it was trained or compressed from; None for a base model."""
    return checkpoint.produced_by.given("base") if checkpoint.produced_by else None


def code_version() -> str:
    """Of the lab's and the hatch's source text: what decides how a run computes."""
    text = hashlib.sha256()
    for room in ("handoff", "rlhf"):
        for file in sorted((_TRAINER / room).rglob("*.py")):
            text.update(file.relative_to(_TRAINER).as_posix().encode() + file.read_bytes())
    return text.hexdigest()[:16]
