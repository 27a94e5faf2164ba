from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from annotation.models import Campaign
from trainer.models.checkpoints import Checkpoint
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

    def ready(self) -> RunQuerySet:
        """Queued runs whose inputs exist."""
        done = Run.Status.SUCCEEDED
        return self.queued().filter(
            Q(base_run__isnull=True) | Q(base_run__status=done),
            Q(reward_run__isnull=True) | Q(reward_run__status=done),
        )

    def stranded(self) -> RunQuerySet:
        """Queued runs that wait for a run which will never succeed."""
        lost = [Run.Status.FAILED, Run.Status.CANCELLED]
        return self.queued().filter(Q(base_run__status__in=lost) | Q(reward_run__status__in=lost))


class Run(models.Model):
    """One execution of a stage of the lab. The row is the queue; a Celery message is only a doorbell.

    QUEUED → RUNNING → SUCCEEDED, FAILED or CANCELLED. A run whose worker fell silent goes back to QUEUED.
    Whoever writes to a running run names the attempt it holds: a late attempt's writes change nothing.
    """

    class Kind(models.TextChoices):
        SFT = "sft", _("Supervised (SFT)")
        REWARD = "reward", _("Reward model")
        PPO = "ppo", _("Policy (PPO)")
        DPO = "dpo", _("Policy (DPO)")
        SAMPLE = "sample", _("Sample candidates")

    class Status(models.TextChoices):
        QUEUED = "QUEUED", _("Queued")
        """Waiting for a worker, and perhaps for the runs it builds on."""
        RUNNING = "RUNNING", _("Running")
        """Held by ``worker`` until ``lease_expires_at``."""
        SUCCEEDED = "SUCCEEDED", _("Succeeded")
        """What it made is stored. Final."""
        FAILED = "FAILED", _("Failed")
        """``failure`` says why. Final."""
        CANCELLED = "CANCELLED", _("Cancelled")
        """Somebody stopped it, or a run that it builds on did not succeed. Final."""

    MAX_ATTEMPTS = 3

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
    config = models.JSONField(_("settings"), default=dict, blank=True)
    delivers = models.BooleanField(
        _("delivers"), default=False, help_text=_("What it samples goes to the labelers, to be ranked.")
    )
    idempotency_key = models.UUIDField(
        _("idempotency key"), null=True, blank=True, unique=True, help_text=_("A second click finds the run.")
    )
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0)
    lost_attempts = models.PositiveSmallIntegerField(
        _("lost attempts"), default=0, help_text=_("How often its worker fell silent.")
    )
    worker = models.CharField(_("worker"), max_length=200, blank=True)
    lease_expires_at = models.DateTimeField(_("lease expires"), null=True, blank=True)
    cancel_requested_at = models.DateTimeField(_("cancel requested"), null=True, blank=True)
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
        ]
        indexes = [
            models.Index(name="run_next_queued", fields=["id"], condition=Q(status="QUEUED")),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_kind_display()}"

    @property
    def folder(self) -> Path:
        """The run directory of the current attempt: an earlier attempt's late writes land elsewhere."""
        return self.folder_of(self.attempt)

    def folder_of(self, attempt: int) -> Path:
        return Path(settings.RUNS_ROOT) / f"{self.pk}" / f"attempt-{attempt}"

    @property
    def is_final(self) -> bool:
        return self.status not in {self.Status.QUEUED, self.Status.RUNNING}

    def claim(self, worker: str, *, now: datetime, lease: timedelta) -> bool:
        """Take the run for ``worker``. Return False if somebody was faster."""
        return self._move(
            Run.objects.ready(),
            status=self.Status.RUNNING,
            worker=worker,
            attempt=F("attempt") + 1,
            lease_expires_at=now + lease,
            started_at=now,
            step=0,
            steps=0,
        )

    def extend(self, *, now: datetime, lease: timedelta, step: int, steps: int) -> bool:
        """Renew the lease of this attempt. Return False if the attempt lost the run."""
        return self._move(self._mine(), lease_expires_at=now + lease, step=step, steps=steps)

    def succeed(self, *, now: datetime, summary: dict[str, Any]) -> bool:
        return self._finish(self._mine(), self.Status.SUCCEEDED, now=now, summary=summary)

    def keep_result(self, checkpoint: Checkpoint) -> None:
        Run.objects.filter(pk=self.pk).update(result=checkpoint)
        self.result = checkpoint

    def fail(self, reason: str, *, now: datetime) -> bool:
        return self._finish(self._mine(), self.Status.FAILED, now=now, failure=reason)

    def stop(self, *, now: datetime) -> bool:
        """End this attempt as cancelled."""
        return self._finish(self._mine(), self.Status.CANCELLED, now=now)

    def requeue(self) -> bool:
        """Hand this attempt's run back to the queue."""
        return self._move(self._mine(), status=self.Status.QUEUED, lease_expires_at=None, worker="")

    def return_overdue(self, *, now: datetime) -> bool:
        """Queue again what its worker no longer keeps alive."""
        changes = {"worker": "", "lost_attempts": F("lost_attempts") + 1}
        return self._move(self._overdue(now), status=self.Status.QUEUED, lease_expires_at=None, **changes)

    def fail_overdue(self, reason: str, *, now: datetime) -> bool:
        return self._finish(self._overdue(now), self.Status.FAILED, now=now, failure=reason)

    def stop_overdue(self, *, now: datetime) -> bool:
        return self._finish(self._overdue(now), self.Status.CANCELLED, now=now)

    def cancel_queued(self, *, now: datetime, reason: str = "") -> bool:
        return self._finish(Run.objects.queued(), self.Status.CANCELLED, now=now, failure=reason)

    def ask_to_cancel(self, *, now: datetime) -> bool:
        """Tell the worker that holds the run to stop. Return False if nobody holds it."""
        return self._move(Run.objects.running(), cancel_requested_at=now)

    def _mine(self) -> RunQuerySet:
        return Run.objects.running().filter(attempt=self.attempt)

    def _overdue(self, now: datetime) -> RunQuerySet:
        return Run.objects.overdue(now).filter(attempt=self.attempt)

    def _finish(self, allowed: RunQuerySet, status: str, *, now: datetime, **changes: Any) -> bool:
        return self._move(allowed, status=status, finished_at=now, lease_expires_at=None, **changes)

    def _move(self, allowed: RunQuerySet, **changes: Any) -> bool:
        # One conditional UPDATE is the whole transition: the database decides who wins. The subquery keeps
        # it one statement where ``allowed`` joins other runs.
        moved = Run.objects.filter(pk__in=allowed.filter(pk=self.pk).values("pk")).update(**changes)
        if moved:
            self.refresh_from_db()
        return moved == 1


class RunMetric(models.Model):
    """One line of a run's metrics, copied from its run directory while it runs."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="metrics", verbose_name=_("run"))
    attempt = models.PositiveSmallIntegerField(_("attempt"))
    line = models.PositiveIntegerField(_("line"))
    values = models.JSONField(_("values"))

    class Meta:
        verbose_name = _("metric")
        verbose_name_plural = _("metrics")
        constraints = [
            models.UniqueConstraint(name="run_metric_line_once", fields=["run", "attempt", "line"]),
        ]

    def __str__(self) -> str:
        return f"{self.run} / {self.line}"
