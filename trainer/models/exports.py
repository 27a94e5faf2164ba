from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from trainer.models.snapshots import Snapshot


class ExportQuerySet(models.QuerySet["Export"]):
    def queued(self) -> ExportQuerySet:
        return self.filter(status=Export.Status.QUEUED)

    def running(self) -> ExportQuerySet:
        return self.filter(status=Export.Status.RUNNING)

    def overdue(self, now: datetime) -> ExportQuerySet:
        return self.running().filter(lease_expires_at__lte=now)


class Export(models.Model):
    """A snapshot being written in one of the field's formats, in the background.

    QUEUED → RUNNING → SUCCEEDED, FAILED or CANCELLED. The row is the queue; a Celery message is only a
    doorbell. One whose worker fell silent goes back to QUEUED and continues after its finished shards.
    """

    class Status(models.TextChoices):
        QUEUED = "QUEUED", _("Queued")
        RUNNING = "RUNNING", _("Running")
        SUCCEEDED = "SUCCEEDED", _("Succeeded")
        FAILED = "FAILED", _("Failed")
        CANCELLED = "CANCELLED", _("Cancelled")

    snapshot = models.ForeignKey(Snapshot, models.PROTECT, related_name="exports", verbose_name=_("snapshot"))
    format = models.CharField(_("format"), max_length=40)
    container = models.CharField(_("container"), max_length=10)
    destination = models.CharField(
        _("destination"),
        max_length=500,
        blank=True,
        help_text=_("An address such as s3://bucket/folder; empty keeps it here for download."),
    )
    status = models.CharField(_("status"), max_length=9, choices=Status.choices, default=Status.QUEUED)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0)
    lease_expires_at = models.DateTimeField(_("lease expires"), null=True, blank=True)
    cancel_requested_at = models.DateTimeField(_("cancel requested"), null=True, blank=True)
    rows_read = models.PositiveBigIntegerField(_("rows read"), default=0)
    manifest = models.JSONField(_("manifest"), default=dict, blank=True)
    failure = models.TextField(_("failure"), blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="exports",
        verbose_name=_("created by"),
    )
    created_at = models.DateTimeField(_("created"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        constraints = [
            models.CheckConstraint(
                name="export_leased_only_while_running",
                condition=Q(status="RUNNING", lease_expires_at__isnull=False)
                | (~Q(status="RUNNING") & Q(lease_expires_at__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.format} ({self.container})"

    @property
    def folder(self) -> Path:
        return Path(settings.EXPORTS_ROOT) / str(self.pk)

    def move(self, allowed: ExportQuerySet, **changes: Any) -> bool:
        """Change it if it is among ``allowed``. Return False if it no longer was."""
        moved = allowed.filter(pk=self.pk).update(**changes)
        if moved:
            self.refresh_from_db()
        return moved == 1
