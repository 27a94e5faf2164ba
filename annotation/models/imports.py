from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation.models.campaigns import Campaign


class ImportQuerySet(models.QuerySet["Import"]):
    def queued(self) -> ImportQuerySet:
        return self.filter(status=Import.Status.QUEUED)

    def running(self) -> ImportQuerySet:
        return self.filter(status=Import.Status.RUNNING)

    def overdue(self, now: datetime) -> ImportQuerySet:
        return self.running().filter(lease_expires_at__lte=now)


class Import(models.Model):
    """A file on its way into a campaign: QUEUED → RUNNING → SUCCEEDED, FAILED or CANCELLED.

    The row is the queue; a Celery message is only a doorbell. One whose worker fell silent goes back to
    QUEUED and continues after ``lines_read``.
    """

    class Status(models.TextChoices):
        QUEUED = "QUEUED", _("Queued")
        RUNNING = "RUNNING", _("Running")
        SUCCEEDED = "SUCCEEDED", _("Succeeded")
        FAILED = "FAILED", _("Failed")
        CANCELLED = "CANCELLED", _("Cancelled")

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="imports", verbose_name=_("campaign"))
    format = models.CharField(_("format"), max_length=40)
    file = models.CharField(_("file"), max_length=200, help_text=_("Below the folder of imports."))
    file_name = models.CharField(_("file name"), max_length=200, help_text=_("As it was uploaded."))
    bytes = models.PositiveBigIntegerField(_("bytes"), default=0)
    status = models.CharField(_("status"), max_length=9, choices=Status.choices, default=Status.QUEUED)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0)
    lease_expires_at = models.DateTimeField(_("lease expires"), null=True, blank=True)
    cancel_requested_at = models.DateTimeField(_("cancel requested"), null=True, blank=True)
    lines_read = models.PositiveBigIntegerField(_("lines read"), default=0)
    bytes_read = models.PositiveBigIntegerField(_("bytes read"), default=0)
    added = models.JSONField(_("added"), default=dict, blank=True)
    unchanged = models.JSONField(_("there already"), default=dict, blank=True)
    problems = models.JSONField(
        _("problems"), default=list, blank=True, help_text=_("The first of them: line, code and words.")
    )
    problem_count = models.PositiveIntegerField(_("lines left out"), default=0)
    failure = models.TextField(_("failure"), blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="imports",
        verbose_name=_("created by"),
    )
    created_at = models.DateTimeField(_("created"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        constraints = [
            models.CheckConstraint(
                name="import_leased_only_while_running",
                condition=Q(status="RUNNING", lease_expires_at__isnull=False)
                | (~Q(status="RUNNING") & Q(lease_expires_at__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    def move(self, allowed: ImportQuerySet, **changes: Any) -> bool:
        """Change it if it is among ``allowed``. Return False if it no longer was."""
        moved = allowed.filter(pk=self.pk).update(**changes)
        if moved:
            self.refresh_from_db()
        return moved == 1
