from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from trainer.models.snapshots import Snapshot


class ExportQuerySet(models.QuerySet["Export"]):
    def queued(self) -> ExportQuerySet:
        return self.filter(status=Export.Status.QUEUED)

    def running(self) -> ExportQuerySet:
        return self.filter(status=Export.Status.RUNNING)

    def overdue(self, now: datetime) -> ExportQuerySet:
        return self.running().filter(lease_expires_at__lte=now)

    def delete(self) -> tuple[int, dict[str, int]]:
        """The rows, and their files."""
        folders = [export.folder for export in self]
        deleted = super().delete()
        transaction.on_commit(lambda: _remove(folders))
        return deleted


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


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

    MOST_LOSSES = 3

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
    # Until it is done: the shards that are finished, and how often its worker was lost.
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

    @property
    def is_final(self) -> bool:
        return self.status not in {self.Status.QUEUED, self.Status.RUNNING}

    @property
    def is_here(self) -> bool:
        """Its files wait for somebody to download them."""
        return self.status == self.Status.SUCCEEDED and not self.destination

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        """The row, and its files."""
        folder = self.folder
        deleted = super().delete(*args, **options)
        transaction.on_commit(lambda: _remove([folder]))
        return deleted

    def claim(self, *, now: datetime, lease: timedelta) -> bool:
        """Begin another attempt. Return False if somebody was faster."""
        changes = {"status": self.Status.RUNNING, "attempt": F("attempt") + 1}
        return self._move(Export.objects.queued(), lease_expires_at=now + lease, **changes)

    def extend(self, *, now: datetime, lease: timedelta, **changes: Any) -> bool:
        """Renew the lease of this attempt. Return False if the attempt lost the export."""
        return self._move(self._mine(), lease_expires_at=now + lease, **changes)

    def succeed(self, manifest: dict[str, Any], *, now: datetime) -> bool:
        done = {"manifest": manifest, "rows_read": self.snapshot.rows}
        return self._finish(self._mine(), self.Status.SUCCEEDED, now=now, **done)

    def fail(self, reason: str, *, now: datetime) -> bool:
        return self._finish(self._mine(), self.Status.FAILED, now=now, failure=reason)

    def stop(self, *, now: datetime) -> bool:
        """End this attempt as cancelled."""
        return self._finish(self._mine(), self.Status.CANCELLED, now=now)

    def requeue(self, **changes: Any) -> bool:
        """Hand it back to the queue; the next attempt goes on after the finished shards."""
        return self._move(self._mine(), status=self.Status.QUEUED, lease_expires_at=None, **changes)

    def cancel_queued(self, *, now: datetime) -> bool:
        return self._finish(Export.objects.queued(), self.Status.CANCELLED, now=now)

    def ask_to_cancel(self, *, now: datetime) -> bool:
        """Tell the worker that holds it to stop. Return False if nobody holds it."""
        return self._move(Export.objects.running(), cancel_requested_at=now)

    def _mine(self) -> ExportQuerySet:
        return Export.objects.running().filter(attempt=self.attempt)

    def _finish(self, allowed: ExportQuerySet, status: str, *, now: datetime, **changes: Any) -> bool:
        return self._move(allowed, status=status, finished_at=now, lease_expires_at=None, **changes)

    def _move(self, allowed: ExportQuerySet, **changes: Any) -> bool:
        # One conditional UPDATE is the whole transition: the database decides who wins.
        moved = allowed.filter(pk=self.pk).update(**changes)
        if moved:
            self.refresh_from_db()
        return moved == 1
