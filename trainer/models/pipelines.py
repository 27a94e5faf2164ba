from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation.models import Campaign
from trainer.models.checkpoints import Checkpoint
from trainer.pipelines import the_loop


class Pipeline(models.Model):
    """Stages that build on one another, as a file; each start queues them as runs."""

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="pipelines", verbose_name=_("campaign")
    )
    name = models.CharField(_("name"), max_length=100)
    document = models.TextField(
        _("file"),
        default=the_loop,
        help_text=_("YAML: what to freeze (data) and the stages; a stage builds on the result of another."),
    )
    repeat_after_rankings = models.PositiveIntegerField(
        _("repeat after rankings"),
        null=True,
        blank=True,
        help_text=_("It starts by itself when so many new rankings have come. Empty: never."),
    )
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Whether it may start by itself."))
    trouble = models.TextField(
        _("trouble"), blank=True, editable=False, help_text=_("Why it could not start by itself.")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="pipelines",
        verbose_name=_("created by"),
    )
    created_at = models.DateTimeField(_("created"), editable=False)

    class Meta:
        verbose_name = _("pipeline")
        verbose_name_plural = _("pipelines")
        constraints = [
            models.UniqueConstraint(name="pipeline_named_once", fields=["campaign", "name"]),
            models.CheckConstraint(
                name="pipeline_repeats_after_some",
                condition=Q(repeat_after_rankings__isnull=True) | Q(repeat_after_rankings__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PipelineRun(models.Model):
    """One start of a pipeline: its stages as runs, from the file as it was then."""

    class Status(models.TextChoices):
        RUNNING = "RUNNING", _("Running")
        SUCCEEDED = "SUCCEEDED", _("Succeeded")
        FAILED = "FAILED", _("Failed")
        CANCELLED = "CANCELLED", _("Cancelled")

    class Reason(models.TextChoices):
        ASKED = "asked", _("Somebody started it")
        AGAIN = "again", _("Some stages were started again")
        RANKINGS = "rankings", _("Enough new rankings had come")

    pipeline = models.ForeignKey(Pipeline, models.CASCADE, related_name="runs", verbose_name=_("pipeline"))
    number = models.PositiveIntegerField(_("number"))
    status = models.CharField(_("status"), max_length=9, choices=Status.choices, default=Status.RUNNING)
    reason = models.CharField(_("reason"), max_length=8, choices=Reason.choices)
    new_rankings = models.PositiveIntegerField(_("new rankings"), help_text=_("Since the start before it."))
    document = models.TextField(_("file"))
    start = models.ForeignKey(
        Checkpoint,
        models.PROTECT,
        related_name="pipeline_runs",
        verbose_name=_("starts from"),
    )
    idempotency_key = models.UUIDField(_("idempotency key"), null=True, blank=True, unique=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="pipeline_runs",
        verbose_name=_("started by"),
    )
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("start of a pipeline")
        verbose_name_plural = _("starts of pipelines")
        constraints = [
            models.UniqueConstraint(name="pipeline_run_numbered_once", fields=["pipeline", "number"]),
            models.UniqueConstraint(
                name="pipeline_run_one_at_a_time", fields=["pipeline"], condition=Q(status="RUNNING")
            ),
            models.CheckConstraint(
                name="pipeline_run_ended_when_not_running",
                condition=Q(status="RUNNING", ended_at__isnull=True)
                | (~Q(status="RUNNING") & Q(ended_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pipeline} #{self.number}"
