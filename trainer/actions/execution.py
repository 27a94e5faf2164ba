"""What a worker does with the queue."""

import logging
import traceback
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from structlog.contextvars import bound_contextvars

from trainer import dispatch, launch, shelf
from trainer.actions.arenas import keep_answers, look_at_arenas
from trainer.actions.checkpoints import store_result
from trainer.actions.layout import lay_out
from trainer.actions.losses import AWAY, insist, lose_attempt, silent
from trainer.actions.members import HostPulse, MemberGone, NobodyCame, has_room, meet, told_by_members
from trainer.actions.runs import cancel_stranded_runs
from trainer.actions.samples import deliver_samples
from trainer.actions.synthetic import deliver_synthetic
from trainer.handoff.failures import Failure, failure_of
from trainer.handoff.rundir import SAMPLES, digest_of
from trainer.models import Artifact, Evaluation, Run, RunEvent
from trainer.pulse import AttemptLost, Leaving, Pulse

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]


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
    """The most urgent run whose inputs exist and whose devices are here, then the oldest, now held by
    ``worker``."""
    for run in Run.objects.ready(now).first_things_first():
        if has_room(run, worker=worker, now=now) and run.claim(
            worker, now=now, lease=settings.RUN_LEASE, **place
        ):
            return run
    return None


def carry_out_run(
    run: Run, *, clock: Clock, stopping: Callable[[], bool], command: Sequence[str] | None = None
) -> None:
    """See a claimed run to its end, or as far as this attempt gets. Each line logged meanwhile names both."""
    with bound_contextvars(run=run.pk, attempt=run.attempt):
        _carry_out(run, clock, stopping, command)


def _carry_out(run: Run, clock: Clock, stopping: Callable[[], bool], command: Sequence[str] | None) -> None:
    pulse = (HostPulse if run.nodes > 1 else Pulse)(run, clock=clock, stopping=stopping)
    try:
        _prepare(run, pulse)
        meeting = meet(run, pulse) if run.nodes > 1 else None
        ending = launch.carry_out(run, pulse=pulse, command=command or launch.lab_command(run, meeting))
        if meeting and ending.failure == Failure.CODE_ERROR and ending.how == launch.How.FAILED:
            ending = told_by_members(run, ending, pulse.hold)
        insist(lambda: _finish(run, ending, pulse), stopping)
    except AttemptLost:
        logger.warning("Run %s is no longer this attempt's; it writes nothing.", run.pk)
        insist(run.refresh_from_db, stopping)
    except NobodyCame:
        words = _("Too few other nodes were free; other runs go first for a while.")
        later = clock() + settings.NODES_MEET_WITHIN
        insist(lambda: run.give_back(words, now=clock(), not_before=later), stopping)
    except MemberGone as gone:
        ending = gone.ending
        insist(lambda: _finish(run, ending, pulse), stopping)
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


def _prepare(run: Run, pulse: Pulse) -> None:
    """Lay out the run directory, and tell what state it goes on from."""
    found = lay_out(run, run.folder, pulse.watch)
    now = pulse.clock()
    if found.step is not None:
        run.tell(RunEvent.Kind.RESUMED, now=now, step=found.step, saved_by_attempt=found.attempt)
    if found.spoilt:
        logger.warning("Run %s: these saved states are spoilt: %s", run.pk, ", ".join(found.spoilt))
        run.tell(RunEvent.Kind.FELL_BACK, now=now, spoilt=found.spoilt)


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
            checkpoint = run.given("base")
            assert checkpoint is not None
            if run.kind == Run.Kind.EVALUATE:
                figures = {name: value for name, value in summary.items() if name != "health"}
                Evaluation.objects.create(
                    checkpoint=checkpoint,
                    campaign=run.campaign,
                    run=run,
                    figures=figures,
                    measured_at=now,
                )
            keep_answers(run, checkpoint)
            if run.delivers and run.is_synthetic:
                deliver_synthetic(run, checkpoint=checkpoint, now=now)
            elif run.delivers:
                deliver_samples(run, checkpoint=checkpoint)
    return True


def _broken_off(error: Exception) -> str:
    last = traceback.format_exception_only(error)[-1].strip()
    return _("The run could not be carried out: %(error)s") % {"error": last}
