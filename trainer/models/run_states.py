from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from trainer.handoff.failures import Failure
from trainer.models.history import FAILURES, RunAttempt, RunEvent
from trainer.models.run_queue import RunQuerySet, RunStatus

if TYPE_CHECKING:
    from trainer.models.runs import Run


class RunStates(models.Model):
    """Where a run stands, and how it moves on: QUEUED → RUNNING → SUCCEEDED, FAILED or CANCELLED.

    A run whose worker fell silent goes back to QUEUED; so does one that failed or was cancelled, where
    somebody resumes it. Whoever writes to a run names the status and the attempt it knows: a late attempt's
    writes change nothing. Each transition leaves a ``RunEvent``, in the same transaction.
    """

    Status = RunStatus

    MOST_LOSSES = 5
    """So many attempts in a row may be lost without one that gets further than the one before."""

    status = models.CharField(_("status"), max_length=9, choices=Status.choices, default=Status.QUEUED)
    not_before = models.DateTimeField(
        _("not before"), null=True, blank=True, help_text=_("After a loss the next attempt waits a little.")
    )
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0)
    lost_attempts = models.PositiveSmallIntegerField(
        _("lost attempts"), default=0, help_text=_("In a row, without getting further.")
    )
    worker = models.CharField(_("worker"), max_length=200, blank=True)
    lease_expires_at = models.DateTimeField(_("lease expires"), null=True, blank=True)
    progressed_at = models.DateTimeField(
        _("last progress"), null=True, blank=True, help_text=_("When its process last wrote something.")
    )
    step = models.PositiveIntegerField(_("step"), default=0)
    steps = models.PositiveIntegerField(_("steps"), default=0)
    summary = models.JSONField(_("summary"), default=dict, blank=True)
    failure = models.TextField(_("failure"), blank=True)
    failure_class = models.CharField(
        _("kind of failure"), max_length=13, choices=FAILURES, blank=True, default=""
    )
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def is_final(self) -> bool:
        return self.status not in {self.Status.QUEUED, self.Status.RUNNING}

    def claim(self, worker: str, *, now: datetime, lease: timedelta, **place: Any) -> bool:
        """Begin another attempt for ``worker``, at ``place``. Return False if somebody was faster."""
        with transaction.atomic():
            won = self._move(
                {self.Status.QUEUED},
                RunEvent.Kind.CLAIMED,
                actor=worker,
                now=now,
                only=Q(pk__in=type(self).objects.ready(now).filter(pk=self.pk).values("pk")),
                status=self.Status.RUNNING,
                worker=worker,
                attempt=F("attempt") + 1,
                lease_expires_at=now + lease,
                progressed_at=now,
                not_before=None,
                started_at=now,
                step=0,
                steps=0,
            )
            if won:
                RunAttempt.objects.create(
                    run=cast("Run", self), number=self.attempt, worker=worker, started_at=now, **place
                )
        return won

    def extend(self, *, now: datetime, lease: timedelta, **told: Any) -> bool:
        """Renew the lease of this attempt. Return False if the attempt lost the run."""
        return self._update({self.Status.RUNNING}, lease_expires_at=now + lease, **told)

    def succeed(self, *, now: datetime, summary: dict[str, Any]) -> bool:
        return self._end_attempt(
            RunEvent.Kind.SUCCEEDED,
            RunAttempt.Ending.SUCCEEDED,
            actor=self.worker,
            now=now,
            status=self.Status.SUCCEEDED,
            finished_at=now,
            summary=summary,
        )

    def fail(
        self,
        reason: str,
        *,
        now: datetime,
        failure: str = Failure.CODE_ERROR,
        code: int | None = None,
        actor: str = "",
        only: Q | None = None,
    ) -> bool:
        """End this attempt, and the run with it."""
        return self._end_attempt(
            RunEvent.Kind.FAILED,
            failure,
            actor=actor or self.worker,
            now=now,
            reason=reason,
            code=code,
            only=only,
            status=self.Status.FAILED,
            finished_at=now,
            failure=reason,
            failure_class=failure,
        )

    def give_back(self, reason: str, *, now: datetime, not_before: datetime | None = None) -> bool:
        """Hand this attempt's run back to the queue, where the next worker takes it at once, or later."""
        return self._end_attempt(
            RunEvent.Kind.PREEMPTED,
            Failure.PREEMPTED,
            actor=self.worker,
            now=now,
            reason=reason,
            status=self.Status.QUEUED,
            worker="",
            not_before=not_before,
        )

    def lose(
        self,
        failure: str,
        reason: str,
        *,
        now: datetime,
        losses: int,
        not_before: datetime,
        code: int | None = None,
        actor: str = "",
        only: Q | None = None,
    ) -> bool:
        """Queue again what its attempt could not bring to an end."""
        return self._end_attempt(
            RunEvent.Kind.LOST,
            failure,
            actor=actor or self.worker,
            now=now,
            reason=reason,
            code=code,
            only=only,
            status=self.Status.QUEUED,
            worker="",
            lost_attempts=losses,
            not_before=not_before,
        )

    def cancel(self, *, actor: str, now: datetime, reason: str = "") -> bool:
        """End it, whatever it is at. A worker that holds it notices, and stops its process."""
        ends: dict[str, Any] = {"status": self.Status.CANCELLED, "finished_at": now, "failure": reason}
        kind = RunEvent.Kind.CANCELLED
        return self._move(
            {self.Status.QUEUED}, kind, actor=actor, now=now, told={"reason": reason}, **ends
        ) or self._end_attempt(kind, RunAttempt.Ending.CANCELLED, actor=actor, now=now, reason=reason, **ends)

    def requeue(self, *, actor: str, now: datetime) -> bool:
        """Queue again what failed or was cancelled; its next attempt goes on from the newest saved state."""
        return self._move(
            {self.Status.FAILED, self.Status.CANCELLED},
            RunEvent.Kind.REQUEUED,
            actor=actor,
            now=now,
            status=self.Status.QUEUED,
            worker="",
            not_before=None,
            lost_attempts=0,
            finished_at=None,
            failure="",
            failure_class="",
        )

    def tell(self, kind: str, *, now: datetime, **told: Any) -> bool:
        """Note what this attempt went through, without a change of state."""
        return self._move(
            {self.Status.RUNNING}, kind, actor=self.worker, now=now, told=told, attempt=F("attempt")
        )

    def _end_attempt(
        self,
        kind: str,
        ending: str,
        *,
        actor: str,
        now: datetime,
        reason: str = "",
        code: int | None = None,
        only: Q | None = None,
        **changes: Any,
    ) -> bool:
        told = {"ending": ending, "reason": reason, "step": self.step}
        with transaction.atomic():
            moved = self._move(
                {self.Status.RUNNING},
                kind,
                actor=actor,
                now=now,
                only=only,
                told=told,
                lease_expires_at=None,
                **changes,
            )
            if moved:
                RunAttempt.objects.filter(run=self.pk, number=self.attempt, ended_at=None).update(
                    ended_at=now, ending=ending, reason=reason, exit_code=code, last_step=self.step
                )
        return moved

    def _move(
        self,
        statuses: set[str],
        kind: str,
        *,
        actor: str,
        now: datetime,
        only: Q | None = None,
        told: dict[str, Any] | None = None,
        **changes: Any,
    ) -> bool:
        """A transition and its event: both, or neither."""
        with transaction.atomic():
            if not self._update(statuses, only, **changes):
                return False
            RunEvent.objects.add(cast("Run", self), kind, actor=actor, now=now, told=told or {})
        return True

    def _update(self, statuses: set[str], only: Q | None = None, **changes: Any) -> bool:
        # One conditional UPDATE is the whole transition: the database decides who wins. Status and attempt
        # are columns of the row itself: PostgreSQL looks at those again after it has waited for another
        # writer, but not at what a subquery said before.
        mine = type(self).objects.filter(pk=self.pk, status__in=statuses, attempt=self.attempt)
        moved = mine.filter(only or Q()).update(**changes)
        if moved:
            self.refresh_from_db()
        return moved == 1
