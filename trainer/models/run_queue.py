"""The states of runs, and which of them a worker looks for. The rows are the queue."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from trainer.models.runs import Run  # noqa: F401  # names the rows of the query set


class RunStatus(models.TextChoices):
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


class RunQuerySet(models.QuerySet["Run"]):
    def queued(self) -> RunQuerySet:
        return self.filter(status=RunStatus.QUEUED)

    def running(self) -> RunQuerySet:
        return self.filter(status=RunStatus.RUNNING)

    def unfinished(self) -> RunQuerySet:
        return self.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING])

    def overdue(self, now: datetime) -> RunQuerySet:
        return self.running().filter(lease_expires_at__lte=now)

    def ready(self, now: datetime) -> RunQuerySet:
        """Queued runs whose inputs exist, and whose next attempt need not wait any longer."""
        done = RunStatus.SUCCEEDED
        return self.queued().filter(
            Q(not_before__isnull=True) | Q(not_before__lte=now),
            Q(base_run__isnull=True) | Q(base_run__status=done),
            Q(reward_run__isnull=True) | Q(reward_run__status=done),
        )

    def first_things_first(self) -> RunQuerySet:
        return self.order_by("-priority", "pk")

    def stranded(self) -> RunQuerySet:
        """Queued runs that wait for a run which will never succeed."""
        lost = [RunStatus.FAILED, RunStatus.CANCELLED]
        return self.queued().filter(Q(base_run__status__in=lost) | Q(reward_run__status__in=lost))
