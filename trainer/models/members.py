"""Nodes that help with an attempt which needs more than one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from django.db import models
from django.utils.translation import gettext_lazy as _

from trainer.models.history import FAILURES, RunAttempt
from trainer.models.runs import Run


class RunMember(models.Model):
    """One helping node. The worker that holds the run has rank 0 and is no member; it alone writes to the
    run, and without it the others stop."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="members", verbose_name=_("run"))
    attempt = models.PositiveSmallIntegerField(_("attempt"))
    rank = models.PositiveSmallIntegerField(_("rank"), help_text=_("From 1: its place among the nodes."))
    worker = models.CharField(_("worker"), max_length=200)
    joined_at = models.DateTimeField(_("joined"))
    heard_at = models.DateTimeField(_("last heard"))
    ready_at = models.DateTimeField(
        _("ready"), null=True, blank=True, help_text=_("When it had all that the run reads.")
    )
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ending = models.CharField(
        _("ending"), max_length=13, choices=[*RunAttempt.Ending.choices, *FAILURES], blank=True, default=""
    )
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        verbose_name = _("helping node")
        verbose_name_plural = _("helping nodes")
        constraints = [
            models.UniqueConstraint(name="run_member_rank_once", fields=["run", "attempt", "rank"]),
            models.UniqueConstraint(name="run_member_worker_once", fields=["run", "attempt", "worker"]),
        ]

    def __str__(self) -> str:
        return f"{self.run} / {self.attempt} / {self.worker}"

    @property
    def folder(self) -> Path:
        """Its own run directory: it may share a disk with the others."""
        place = self.run.folder_of(self.attempt)
        return place.with_name(f"{place.name}-node-{self.rank}")

    def beat(self, *, now: datetime) -> bool:
        """Tell that this node is there. Returns whether the attempt still stands."""
        stands = Run.objects.running().filter(pk=self.run_id, attempt=self.attempt)
        mine = RunMember.objects.filter(pk=self.pk, ended_at=None, run__in=stands)
        return bool(mine.update(heard_at=now))

    def end(self, ending: str, reason: str, *, now: datetime) -> None:
        mine = RunMember.objects.filter(pk=self.pk, ended_at=None)
        mine.update(ended_at=now, ending=ending, reason=reason)
