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
from django.db.models import Q
from django.utils.translation import gettext as _
from structlog.contextvars import bound_contextvars

from trainer import dispatch, launch, shelf
from trainer.actions.arenas import keep_answers, look_at_arenas
from trainer.actions.checkpoints import store_result
from trainer.actions.losses import AWAY, insist, lose_attempt, silent
from trainer.actions.runs import SNAPSHOT_KINDS, cancel_stranded_runs
from trainer.actions.samples import deliver_samples
from trainer.handoff.failures import Failure, failure_of
from trainer.handoff.rundir import SAMPLES, RunDirectory, RunSpec, digest_of
from trainer.models import Artifact, Checkpoint, Evaluation, Run, RunEvent, Snapshot
from trainer.pulse import AttemptLost, Leaving, Pulse

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
_TRAINER = Path(__file__).resolve().parent.parent


def execute_next_run(
    *, worker: str, clock: Clock, stopping: Callable[[], bool], command: Sequence[str] | None = None
) -> Run | None:
    """Take the next run whose inputs exist and carry it out. Returns it, or None if nothing waits.

    ``stopping`` tells when the worker wants to leave: the run then goes back to the queue.
    """
    run = claim_next_run(worker=worker, now=clock())
    if run is not None:
        carry_out_run(run, clock=clock, stopping=stopping, command=command)
    return run


def claim_next_run(*, worker: str, now: datetime, **place: Any) -> Run | None:
    """The most urgent run whose inputs exist, then the oldest, now held by ``worker``."""
    for run in Run.objects.ready(now).first_things_first():
        if run.claim(worker, now=now, lease=settings.RUN_LEASE, **place):
            return run
    return None


def carry_out_run(
    run: Run, *, clock: Clock, stopping: Callable[[], bool], command: Sequence[str] | None = None
) -> None:
    """See a claimed run to its end, or as far as this attempt gets. Each line logged meanwhile names both."""
    with bound_contextvars(run=run.pk, attempt=run.attempt):
        _carry_out(run, clock, stopping, command)


def _carry_out(run: Run, clock: Clock, stopping: Callable[[], bool], command: Sequence[str] | None) -> None:
    pulse = Pulse(run, clock=clock, stopping=stopping)
    try:
        _prepare(run, pulse)
        ending = launch.carry_out(run, pulse=pulse, command=command)
        insist(lambda: _finish(run, ending, pulse), stopping)
    except AttemptLost:
        logger.warning("Run %s is no longer this attempt's; it writes nothing.", run.pk)
        insist(run.refresh_from_db, stopping)
    except (Leaving, *AWAY):
        insist(lambda: run.give_back("", now=clock()), stopping)
    except Exception as error:  # whatever it was, the run must end with words, not hang until its lease ends
        logger.exception("Run %s broke off.", run.pk)
        words, failure = _broken_off(error), failure_of(error)
        insist(lambda: run.fail(words, now=clock(), failure=failure), stopping)
    insist(lambda: _look_after_the_rest(clock, stopping), stopping)


def _look_after_the_rest(clock: Clock, stopping: Callable[[], bool]) -> None:
    """What this run was for: others can begin now, or never will."""
    cancel_stranded_runs(now=clock())
    look_at_arenas(now=clock())
    if not stopping() and Run.objects.ready(clock()).exists():
        dispatch.ring()


def reclaim_overdue_runs(*, now: datetime) -> int:
    """Queue again what fell silent, up to a limit. Returns how many runs were overdue."""
    overdue = list(Run.objects.overdue(now))
    for run in overdue:
        # Its worker may be heard again between our look and our word.
        still = Q(lease_expires_at__lte=now)
        lose_attempt(run, Failure.LOST, silent(run), now=now, actor="sweep", only=still)
    cancel_stranded_runs(now=now)
    if overdue:
        dispatch.ring()
    return len(overdue)


_READ_DEMONSTRATIONS = {Run.Kind.REWARD, Run.Kind.PPO, Run.Kind.EVALUATE}


def _prepare(run: Run, pulse: Pulse) -> None:
    """Lay out the run directory that the lab reads, with the state that an earlier attempt has saved."""
    base, reward = _checkpoint(run, "base"), _checkpoint(run, "reward")
    assert base is not None  # queue_run asks for one
    spec = RunSpec(
        kind=run.kind,
        config=run.config,
        base_model=shelf.local_place(base, pulse.watch),
        reward_model=shelf.local_place(reward, pulse.watch) if reward else None,
        base_digest=base.digest,
        reward_digest=reward.digest if reward else None,
        snapshot_digest=run.snapshot.digest,
        code_version=code_version(),
    )
    shelf.fetch_snapshot(run.snapshot, pulse.watch)
    files = {f"{SNAPSHOT_KINDS[Run.Kind(run.kind)]}.parquet": run.snapshot.file}
    taught_by = _demonstrations_behind(base) if run.kind in _READ_DEMONSTRATIONS else None
    if taught_by:
        shelf.fetch_snapshot(taught_by, pulse.watch)
    # They may have been deleted since, for the sake of somebody who was erased.
    if taught_by and taught_by.file.exists():
        files["demonstrations.parquet"] = taught_by.file
    directory = RunDirectory.create(run.folder, spec, files)
    pulse.watch()
    _take_over(run, directory, pulse)


def _take_over(run: Run, directory: RunDirectory, pulse: Pulse) -> None:
    """Go on from the newest state that an earlier attempt has saved whole."""
    spoilt: list[str] = []
    for attempt in range(run.attempt - 1, 0, -1):
        shelf.fetch_saved(run, attempt, pulse.watch)
        earlier = RunDirectory(run.folder_of(attempt))
        found = directory.take_over(earlier, watch=pulse.watch)
        spoilt += [f"{attempt}/{step}" for step in earlier.steps_saved() if found is None or step > found]
        if found is not None:
            run.tell(RunEvent.Kind.RESUMED, now=pulse.clock(), step=found, saved_by_attempt=attempt)
            break
    if spoilt:
        logger.warning("Run %s: these saved states are spoilt: %s", run.pk, ", ".join(spoilt))
        run.tell(RunEvent.Kind.FELL_BACK, now=pulse.clock(), spoilt=spoilt)


def _demonstrations_behind(checkpoint: Checkpoint | None) -> Snapshot | None:
    """What the supervised run learned from that this checkpoint goes back to; None if there was none."""
    while checkpoint and checkpoint.produced_by:
        run = checkpoint.produced_by
        if run.kind == Run.Kind.SFT:
            return run.snapshot
        checkpoint = _checkpoint(run, "base")
    return None


def _finish(run: Run, ending: launch.Ending, pulse: Pulse) -> None:
    """:raises AttemptLost: the run was not this attempt's to end."""
    now = pulse.clock()
    match ending.how:
        case launch.How.DONE:
            written = _keep(run, ending.summary, pulse)
        case launch.How.FAILED:
            written = run.fail(ending.reason, now=now, failure=ending.failure, code=ending.code)
        case launch.How.BROKEN_OFF:
            written = lose_attempt(run, ending.failure, ending.reason, now=now, code=ending.code)
        case launch.How.INTERRUPTED:
            written = run.give_back(ending.reason, now=now)
        case launch.How.LOST:
            written = False
    if not written:
        raise AttemptLost


def _keep(run: Run, summary: dict[str, Any], pulse: Pulse) -> bool:
    """Store what the run made, all of it or nothing."""
    made = run.folder / "result" if run.makes_weights else run.folder / SAMPLES
    digest = digest_of(made, watch=pulse.watch)
    location = shelf.publish(run, made, pulse.watch)
    now = pulse.clock()
    with transaction.atomic():
        if not run.succeed(now=now, summary=summary):
            return False
        # Its key is the run's: whatever else may go wrong, there is no second one.
        Artifact.objects.create(
            run=run, attempt=run.attempt, location=location, digest=digest, published_at=now
        )
        if run.makes_weights:
            store_result(run, location=location, digest=digest, summary=summary, now=now)
        else:
            checkpoint = _checkpoint(run, "base")
            assert checkpoint is not None
            if run.kind == Run.Kind.EVALUATE:
                figures = {name: value for name, value in summary.items() if name != "health"}
                Evaluation.objects.create(checkpoint=checkpoint, run=run, figures=figures, measured_at=now)
            keep_answers(run, checkpoint)
            if run.delivers:
                deliver_samples(run, checkpoint=checkpoint)
    return True


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
