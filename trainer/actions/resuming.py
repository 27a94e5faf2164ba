"""Taking up again what failed or was cancelled: the same run, one more attempt."""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from annotation.models import Person
from trainer import dispatch, shelf
from trainer.actions.runs import actor, check_quota
from trainer.errors import CannotResume
from trainer.handoff.failures import Failure
from trainer.models import PipelineRun, Run

LOST = {Run.Status.FAILED, Run.Status.CANCELLED}
SAME_AGAIN = {Failure.SETTINGS, Failure.BAD_DATA}
"""What another attempt would meet as well: the settings and the snapshot stay as they are."""


def resume_run(run: Run, *, by: Person | None, now: datetime) -> list[Run]:
    """Back to the queue, to go on from its newest saved state; so are those that were cancelled only because
    they wait for it. Returns them all, this one first.

    :raises CannotResume: it is not over, has succeeded, or would end the same way again.
    :raises TooManyRuns: too many of this person's runs are not over yet.
    """
    _check(run)
    check_quota(by)
    with transaction.atomic():
        resumed = [run, *_waited_for_it(run)]
        for one in resumed:
            _requeue(one, by, now)
        _reopen_pipeline(run)
    dispatch.ring()
    return resumed


def may_resume(run: Run) -> bool:
    """Whether there is a point in asking."""
    return run.status in LOST and run.failure_class not in SAME_AGAIN


def _check(run: Run) -> None:
    if not run.is_final:
        raise CannotResume(_("This run is not over: it waits, or goes on already."))
    if run.status == Run.Status.SUCCEEDED:
        raise CannotResume(_("This run has succeeded: there is nothing to go on with. Clone it instead."))
    if run.failure_class in SAME_AGAIN:
        raise CannotResume(
            _("It would end the same way: %(reason)s Clone it, and change what it reads or its settings.")
            % {"reason": run.failure}
        )
    for origin in (run.base_run, run.reward_run):
        if origin and origin.status in LOST:
            raise CannotResume(_("It builds on %(run)s, which made nothing. Resume that.") % {"run": origin})
    if not run.snapshot.file.exists() and not shelf.is_set():
        raise CannotResume(_("The rows of %(snapshot)s are deleted.") % {"snapshot": run.snapshot})


def _requeue(run: Run, by: Person | None, now: datetime) -> None:
    same = Run.objects.unfinished().filter(request_digest=run.request_digest).exclude(request_digest="")
    try:
        with transaction.atomic():
            if run.requeue(actor=actor(by), now=now):
                return
    except IntegrityError as error:
        words = _("%(run)s was asked for the same meanwhile, and is not over.")
        raise CannotResume(words % {"run": same.first() or "?"}) from error
    raise CannotResume(_("Somebody else was a moment faster. Look at the run again."))


def _waited_for_it(run: Run) -> Iterable[Run]:
    """Cancelled by the sweep since this one made nothing, each after what it builds on."""
    found = {run.pk}
    while more := [
        one for one in _cancelled_on(found) if _was_swept(one) and not _is_lost_beside(one, found)
    ]:
        found |= {one.pk for one in more}
        yield from more


def _cancelled_on(origins: set[int]) -> Iterable[Run]:
    built = Run.objects.filter(Q(base_run__in=origins) | Q(reward_run__in=origins))
    return built.filter(status=Run.Status.CANCELLED).exclude(pk__in=origins).order_by("pk")


def _is_lost_beside(run: Run, found: set[int]) -> bool:
    """Whether something else that it builds on made nothing either."""
    origins = [origin for origin in (run.base_run, run.reward_run) if origin]
    return any(origin.pk not in found and origin.status in LOST for origin in origins)


def _was_swept(run: Run) -> bool:
    last = run.events.order_by("-seq").first()
    return last is not None and last.actor == "sweep"


def _reopen_pipeline(run: Run) -> None:
    """A start of a pipeline whose stage goes on is not over."""
    started = run.pipeline_run
    if started is None or started.status == PipelineRun.Status.RUNNING:
        return
    try:
        with transaction.atomic():
            PipelineRun.objects.filter(pk=started.pk).update(status=PipelineRun.Status.RUNNING, ended_at=None)
    except IntegrityError as error:
        words = _("%(pipeline)s was started anew meanwhile, and that start is not over.")
        raise CannotResume(words % {"pipeline": started.pipeline}) from error
