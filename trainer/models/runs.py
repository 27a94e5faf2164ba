from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from annotation.models import Campaign
from trainer.handoff.failures import Failure
from trainer.models.checkpoints import Checkpoint
from trainer.models.history import FAILURES, RunAttempt, RunEvent
from trainer.models.snapshots import Snapshot


class RunQuerySet(models.QuerySet["Run"]):
    def queued(self) -> RunQuerySet:
        return self.filter(status=Run.Status.QUEUED)

    def running(self) -> RunQuerySet:
        return self.filter(status=Run.Status.RUNNING)

    def unfinished(self) -> RunQuerySet:
        return self.filter(status__in=[Run.Status.QUEUED, Run.Status.RUNNING])

    def overdue(self, now: datetime) -> RunQuerySet:
        return self.running().filter(lease_expires_at__lte=now)

    def ready(self, now: datetime) -> RunQuerySet:
        """Queued runs whose inputs exist, and whose next attempt need not wait any longer."""
        done = Run.Status.SUCCEEDED
        return self.queued().filter(
            Q(not_before__isnull=True) | Q(not_before__lte=now),
            Q(base_run__isnull=True) | Q(base_run__status=done),
            Q(reward_run__isnull=True) | Q(reward_run__status=done),
        )

    def first_things_first(self) -> RunQuerySet:
        return self.order_by("-priority", "pk")

    def stranded(self) -> RunQuerySet:
        """Queued runs that wait for a run which will never succeed."""
        lost = [Run.Status.FAILED, Run.Status.CANCELLED]
        return self.queued().filter(Q(base_run__status__in=lost) | Q(reward_run__status__in=lost))


class Run(models.Model):
    """One execution of a stage of the lab. The row is the queue; a Celery message is only a doorbell.

    QUEUED → RUNNING → SUCCEEDED, FAILED or CANCELLED. A run whose worker fell silent goes back to QUEUED;
    so does one that failed or was cancelled, where somebody resumes it.
    Whoever writes to a run names the status and the attempt it knows: a late attempt's writes change nothing.
    Each transition leaves a ``RunEvent``, in the same transaction.
    """

    class Kind(models.TextChoices):
        SFT = "sft", _("Supervised (SFT)")
        REWARD = "reward", _("Reward model")
        PPO = "ppo", _("Policy (PPO)")
        DPO = "dpo", _("Policy (DPO)")
        KTO = "kto", _("Policy (KTO)")
        SAMPLE = "sample", _("Sample candidates")
        EVALUATE = "evaluate", _("Evaluate")
        QUANTIZE = "quantize", _("Quantize")
        DISTILL = "distill", _("Distill")
        PRUNE = "prune", _("Prune")
        SHARE = "share", _("Share layers")
        GENERATE = "generate", _("Generate dialogues")
        EXPAND = "expand", _("Expand prompts")
        JUDGE = "judge", _("Judge candidates")

    class Status(models.TextChoices):
        QUEUED = "QUEUED", _("Queued")
        """Waiting for a worker, and perhaps for the runs it builds on."""
        RUNNING = "RUNNING", _("Running")
        """Held by ``worker`` until ``lease_expires_at``."""
        SUCCEEDED = "SUCCEEDED", _("Succeeded")
        """What it made is stored. Final."""
        FAILED = "FAILED", _("Failed")
        """``failure`` says why. Final, unless it is resumed."""
        CANCELLED = "CANCELLED", _("Cancelled")
        """Somebody stopped it, or a run that it builds on did not succeed. Final, unless it is resumed."""

    MOST_LOSSES = 5
    """So many attempts in a row may be lost without one that gets further than the one before."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="runs", verbose_name=_("campaign"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    status = models.CharField(_("status"), max_length=9, choices=Status.choices, default=Status.QUEUED)
    snapshot = models.ForeignKey(Snapshot, models.PROTECT, related_name="runs", verbose_name=_("snapshot"))
    base = models.ForeignKey(
        Checkpoint,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="runs_from_it",
        verbose_name=_("starts from"),
    )
    base_run = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="runs_from_its_result",
        verbose_name=_("starts from the result of"),
    )
    reward = models.ForeignKey(
        Checkpoint,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="runs_scored_by_it",
        verbose_name=_("reward model"),
    )
    reward_run = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="runs_scored_by_its_result",
        verbose_name=_("reward model from"),
    )
    holdout = models.ForeignKey(
        Checkpoint,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="runs_watched_by_it",
        verbose_name=_("hold-out reward model"),
        help_text=_("Scores as well, and nothing learns from it: where it falls, the policy only pleases."),
    )
    config = models.JSONField(_("settings"), default=dict, blank=True)
    delivers = models.BooleanField(
        _("delivers"), default=False, help_text=_("What it samples goes to the labelers, to be ranked.")
    )
    pipeline_run = models.ForeignKey(
        "trainer.PipelineRun",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="stages",
        verbose_name=_("start of a pipeline"),
    )
    stage = models.CharField(_("stage"), max_length=40, blank=True)
    idempotency_key = models.UUIDField(
        _("idempotency key"), null=True, blank=True, unique=True, help_text=_("A second click finds the run.")
    )
    request_digest = models.CharField(
        _("digest of what was asked for"),
        max_length=64,
        blank=True,
        help_text=_("Two runs that are to do the same thing are one, as long as the first is not over."),
    )
    priority = models.SmallIntegerField(
        _("priority"), default=0, help_text=_("Higher ones go first; the same ones in order.")
    )
    nodes = models.PositiveSmallIntegerField(
        _("nodes"), default=1, help_text=_("So many machines carry it out together.")
    )
    devices = models.PositiveSmallIntegerField(
        _("devices"), default=0, help_text=_("Of each node, one process for each; 0: all that it has.")
    )
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
    # Two runs with the same settings on the same data make the same weights: one checkpoint, two results.
    result = models.ForeignKey(
        Checkpoint,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="made_by",
        verbose_name=_("result"),
    )
    summary = models.JSONField(_("summary"), default=dict, blank=True)
    failure = models.TextField(_("failure"), blank=True)
    failure_class = models.CharField(
        _("kind of failure"), max_length=13, choices=FAILURES, blank=True, default=""
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="runs",
        verbose_name=_("created by"),
    )
    created_at = models.DateTimeField(_("created"))
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        constraints = [
            models.CheckConstraint(
                name="run_leased_only_while_running",
                condition=Q(status="RUNNING", lease_expires_at__isnull=False)
                | (~Q(status="RUNNING") & Q(lease_expires_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="run_finished_at_null_until_final",
                condition=Q(status__in=["QUEUED", "RUNNING"], finished_at__isnull=True)
                | Q(status__in=["SUCCEEDED", "FAILED", "CANCELLED"], finished_at__isnull=False),
            ),
            models.CheckConstraint(
                name="run_failed_says_why", condition=~Q(status="FAILED") | ~Q(failure="")
            ),
            models.CheckConstraint(
                name="run_starts_from_one_thing", condition=Q(base__isnull=True) | Q(base_run__isnull=True)
            ),
            models.CheckConstraint(
                name="run_scored_by_one_thing", condition=Q(reward__isnull=True) | Q(reward_run__isnull=True)
            ),
            models.UniqueConstraint(
                name="run_asked_for_once_at_a_time",
                fields=["request_digest"],
                condition=Q(status__in=["QUEUED", "RUNNING"]) & ~Q(request_digest=""),
            ),
        ]
        indexes = [
            models.Index(name="run_next_in_queue", fields=["-priority", "id"], condition=Q(status="QUEUED")),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_kind_display()}"

    def given(self, role: str) -> Checkpoint | None:
        """Its ``base`` or ``reward``: what was named, or what the run before has made by now."""
        before: Run | None = getattr(self, f"{role}_run")
        checkpoint: Checkpoint | None = before.result if before else getattr(self, role)
        return checkpoint

    @property
    def folder(self) -> Path:
        """The run directory of the current attempt: an earlier attempt's late writes land elsewhere."""
        return self.folder_of(self.attempt)

    def folder_of(self, attempt: int) -> Path:
        return Path(settings.RUNS_ROOT) / f"{self.pk}" / f"attempt-{attempt}"

    @property
    def makes_weights(self) -> bool:
        return self.kind not in {self.Kind.SAMPLE, self.Kind.EVALUATE} and not self.is_synthetic

    @property
    def is_synthetic(self) -> bool:
        """What it makes up stands in for what people write or judge."""
        return self.kind in {self.Kind.GENERATE, self.Kind.EXPAND, self.Kind.JUDGE}

    @property
    def compresses(self) -> bool:
        return self.kind in {self.Kind.QUANTIZE, self.Kind.DISTILL, self.Kind.PRUNE, self.Kind.SHARE}

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
                only=Q(pk__in=Run.objects.ready(now).filter(pk=self.pk).values("pk")),
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
                    run=self, number=self.attempt, worker=worker, started_at=now, **place
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

    def keep_result(self, checkpoint: Checkpoint) -> None:
        Run.objects.filter(pk=self.pk).update(result=checkpoint)
        self.result = checkpoint

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
                self.attempts.filter(number=self.attempt, ended_at=None).update(
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
            RunEvent.objects.add(self, kind, actor=actor, now=now, told=told or {})
        return True

    def _update(self, statuses: set[str], only: Q | None = None, **changes: Any) -> bool:
        # One conditional UPDATE is the whole transition: the database decides who wins. Status and attempt
        # are columns of the row itself: PostgreSQL looks at those again after it has waited for another
        # writer, but not at what a subquery said before.
        mine = Run.objects.filter(pk=self.pk, status__in=statuses, attempt=self.attempt)
        moved = mine.filter(only or Q()).update(**changes)
        if moved:
            self.refresh_from_db()
        return moved == 1
