"""What happened to runs: attempts, events, metrics, and the one thing that each of them made."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from trainer.handoff.failures import Failure

if TYPE_CHECKING:
    from trainer.models.runs import Run

FAILURES = [
    (Failure.OUT_OF_MEMORY.value, _("Out of memory")),
    (Failure.NOT_A_NUMBER.value, _("The numbers broke down")),
    (Failure.DISK_FULL.value, _("Disk full")),
    (Failure.BAD_DATA.value, _("The data do not fit")),
    (Failure.SETTINGS.value, _("The settings do not fit")),
    (Failure.CODE_ERROR.value, _("An error in the code")),
    (Failure.LOST.value, _("Lost")),
    (Failure.HUNG.value, _("Hung")),
    (Failure.PREEMPTED.value, _("Made way")),
]


class RunAttempt(models.Model):
    """One worker's try at a run. Its number is the fence: who names an older one writes nothing."""

    class Ending(models.TextChoices):
        """Or a class of failure."""

        SUCCEEDED = "succeeded", _("Succeeded")
        CANCELLED = "cancelled", _("Cancelled")

    run = models.ForeignKey("trainer.Run", models.CASCADE, related_name="attempts", verbose_name=_("run"))
    number = models.PositiveSmallIntegerField(_("number"))
    worker = models.CharField(_("worker"), max_length=200)
    host = models.CharField(_("host"), max_length=200, blank=True)
    boot_id = models.CharField(_("boot"), max_length=36, blank=True, help_text=_("Changes at each restart."))
    pid = models.PositiveIntegerField(_("process"), null=True, blank=True)
    meeting_point = models.CharField(
        _("meeting point"),
        max_length=300,
        blank=True,
        default="",
        help_text=_("Address and port where the processes of several nodes find each other."),
    )
    processes = models.PositiveSmallIntegerField(
        _("processes"), default=0, help_text=_("On each of several nodes.")
    )
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ending = models.CharField(
        _("ending"), max_length=13, choices=[*Ending.choices, *FAILURES], blank=True, default=""
    )
    exit_code = models.SmallIntegerField(
        _("exit code"), null=True, blank=True, help_text=_("Below zero: the signal that ended it.")
    )
    reason = models.TextField(_("reason"), blank=True)
    last_step = models.PositiveIntegerField(_("last step"), default=0)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [
            models.UniqueConstraint(name="run_attempt_number_once", fields=["run", "number"]),
        ]

    def __str__(self) -> str:
        return f"{self.run} / {self.number}"


class RunEventManager(models.Manager["RunEvent"]):
    def add(self, run: Run, kind: str, *, actor: str, now: datetime, told: dict[str, Any]) -> RunEvent:
        # Whoever adds one has just changed the run's row, and holds it: nobody else counts meanwhile.
        last = self.filter(run=run).aggregate(last=Max("seq"))["last"] or 0
        told = {name: value for name, value in told.items() if value not in ("", None)}
        return self.create(
            run=run, seq=last + 1, at=now, actor=actor, kind=kind, data={"attempt": run.attempt, **told}
        )


class RunEvent(models.Model):
    """A line of a run's story. Append-only, written in the transaction of what it tells."""

    class Kind(models.TextChoices):
        ASKED = "asked", _("Asked for")
        CLAIMED = "claimed", _("Taken by a worker")
        RESUMED = "resumed", _("Goes on from a saved state")
        FELL_BACK = "fell_back", _("The newest saved state was spoilt")
        PREEMPTED = "preempted", _("Made way")
        LOST = "lost", _("Lost; queued again")
        REQUEUED = "requeued", _("Queued again by hand")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    run = models.ForeignKey("trainer.Run", models.CASCADE, related_name="events", verbose_name=_("run"))
    seq = models.PositiveIntegerField(_("number"))
    at = models.DateTimeField(_("at"))
    actor = models.CharField(
        _("by"), max_length=200, help_text=_("A worker, or a person by their number; people may be erased.")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    data = models.JSONField(_("details"), default=dict)

    objects = RunEventManager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.UniqueConstraint(name="run_event_seq_once", fields=["run", "seq"]),
        ]

    def __str__(self) -> str:
        return f"{self.run} / {self.seq} {self.kind}"


class Artifact(models.Model):
    """What a run made, published: one per run, ever."""

    run = models.OneToOneField(
        "trainer.Run", models.PROTECT, primary_key=True, related_name="artifact", verbose_name=_("run")
    )
    attempt = models.PositiveSmallIntegerField(_("attempt"))
    location = models.CharField(_("location"), max_length=500, help_text=_("A folder, or an address."))
    digest = models.CharField(_("sha256"), max_length=64)
    published_at = models.DateTimeField(_("published"))

    class Meta:
        verbose_name = _("artifact")
        verbose_name_plural = _("artifacts")

    def __str__(self) -> str:
        return f"{self.run}: {self.digest[:8]}"


class RunMetric(models.Model):
    """One line of a run's metrics, copied from its run directory while it runs."""

    run = models.ForeignKey("trainer.Run", models.CASCADE, related_name="metrics", verbose_name=_("run"))
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
