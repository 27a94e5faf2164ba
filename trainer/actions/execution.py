"""What a worker does with the queue."""

import hashlib
import logging
import traceback
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from trainer import dispatch, launch
from trainer.actions.checkpoints import store_result
from trainer.actions.runs import SNAPSHOT_KINDS, cancel_stranded_runs
from trainer.actions.samples import deliver_samples
from trainer.handoff.rundir import RunDirectory, RunSpec, digest_of_folder
from trainer.models import Checkpoint, Run, Snapshot

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
_TRAINER = Path(__file__).resolve().parent.parent


def execute_next_run(
    *, worker: str, clock: Clock, stopping: Callable[[], bool], command: Sequence[str] | None = None
) -> Run | None:
    """Take the oldest run whose inputs exist and carry it out. Returns it, or None if nothing waits.

    ``stopping`` tells when the worker wants to leave: the run then goes back to the queue.
    """
    run = claim_next_run(worker=worker, now=clock())
    if run is None:
        return None
    try:
        _prepare(run)
        ending = launch.carry_out(run, clock=clock, stopping=stopping, command=command)
        _finish(run, ending, clock())
    except Exception as error:  # whatever it was, the run must end with words, not hang until its lease ends
        logger.exception("Run %s broke off.", run.pk)
        run.fail(_broken_off(error), now=clock())
    cancel_stranded_runs(now=clock())
    if not stopping() and Run.objects.ready().exists():
        dispatch.ring()
    return run


def claim_next_run(*, worker: str, now: datetime) -> Run | None:
    """The oldest run whose inputs exist, now held by ``worker``."""
    for run in Run.objects.ready().order_by("pk"):
        if run.claim(worker, now=now, lease=settings.RUN_LEASE):
            return run
    return None


def reclaim_overdue_runs(*, now: datetime) -> int:
    """Queue again what fell silent, up to a limit. Returns how many runs were overdue."""
    overdue = list(Run.objects.overdue(now))
    for run in overdue:
        if run.cancel_requested_at:
            run.stop_overdue(now=now)
        elif run.lost_attempts + 1 >= Run.MAX_ATTEMPTS:
            run.fail_overdue(_silent(run), now=now)
        else:
            run.return_overdue(now=now)
    cancel_stranded_runs(now=now)
    if overdue:
        dispatch.ring()
    return len(overdue)


def _prepare(run: Run) -> None:
    """Lay out the run directory that the lab reads, with the state that an earlier attempt has saved."""
    base, reward = _checkpoint(run, "base"), _checkpoint(run, "reward")
    assert base is not None  # queue_run asks for one
    spec = RunSpec(
        kind=run.kind,
        config=run.config,
        base_model=base.location,
        reward_model=reward.location if reward else None,
        base_digest=base.digest,
        reward_digest=reward.digest if reward else None,
        snapshot_digest=run.snapshot.digest,
        code_version=code_version(),
    )
    files = {f"{SNAPSHOT_KINDS[Run.Kind(run.kind)]}.parquet": run.snapshot.file}
    taught_by = _demonstrations_behind(base) if run.kind in {Run.Kind.REWARD, Run.Kind.PPO} else None
    # They may have been deleted since, for the sake of somebody who was erased.
    if taught_by and taught_by.file.exists():
        files["demonstrations.parquet"] = taught_by.file
    directory = RunDirectory.create(run.folder, spec, files)
    for attempt in range(run.attempt - 1, 0, -1):
        if directory.take_over(RunDirectory(run.folder_of(attempt))):
            break


def _demonstrations_behind(checkpoint: Checkpoint | None) -> Snapshot | None:
    """What the supervised run learned from that this checkpoint goes back to; None if there was none."""
    while checkpoint and checkpoint.produced_by:
        run = checkpoint.produced_by
        if run.kind == Run.Kind.SFT:
            return run.snapshot
        checkpoint = _checkpoint(run, "base")
    return None


def _finish(run: Run, ending: launch.Ending, now: datetime) -> None:
    match ending.how:
        case launch.How.DONE:
            _keep(run, ending.summary, now)
        case launch.How.FAILED:
            run.fail(ending.reason, now=now)
        case launch.How.CANCELLED:
            run.stop(now=now)
        case launch.How.INTERRUPTED:
            # Somebody may have cancelled it at the same moment.
            run.refresh_from_db(fields=["cancel_requested_at"])
            run.stop(now=now) if run.cancel_requested_at else run.requeue()
        case launch.How.LOST:
            logger.warning("Run %s went to another attempt; this one writes nothing.", run.pk)


def _keep(run: Run, summary: dict[str, Any], now: datetime) -> None:
    """Store what the run made, all of it or nothing."""
    makes_weights = run.kind != Run.Kind.SAMPLE
    digest = digest_of_folder(run.folder / "result") if makes_weights else ""
    with transaction.atomic():
        if not run.succeed(now=now, summary=summary):
            return
        if makes_weights:
            store_result(run, digest=digest, summary=summary, now=now)
        elif run.delivers:
            checkpoint = _checkpoint(run, "base")
            assert checkpoint is not None
            deliver_samples(run, checkpoint=checkpoint)


def _checkpoint(run: Run, role: str) -> Checkpoint | None:
    """What was given, or what the run before made."""
    origin: Run | None = getattr(run, f"{role}_run")
    checkpoint: Checkpoint | None = origin.result if origin else getattr(run, role)
    return checkpoint


def code_version() -> str:
    """Of the lab's and the hatch's source text: what decides how a run computes."""
    text = hashlib.sha256()
    for room in ("handoff", "rlhf"):
        for file in sorted((_TRAINER / room).rglob("*.py")):
            text.update(file.relative_to(_TRAINER).as_posix().encode() + file.read_bytes())
    return text.hexdigest()[:16]


def _broken_off(error: Exception) -> str:
    last = traceback.format_exception_only(error)[-1].strip()
    return _("The run could not be carried out: %(error)s") % {"error": last}


def _silent(run: Run) -> str:
    return _(
        "Its worker fell silent %(count)d times, the last one being %(worker)s. The machine may have been "
        "switched off or run out of memory."
    ) % {"count": run.lost_attempts + 1, "worker": run.worker or "?"}
