from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from trainer.models.checkpoints import Checkpoint
from trainer.models.snapshots import Snapshot


class RehearsalQuerySet(models.QuerySet["Rehearsal"]):
    def unanswered(self, now: datetime) -> RehearsalQuerySet:
        """Whoever asked may still be looking."""
        return self.filter(answered_at__isnull=True, asked_at__gt=now - Rehearsal.PATIENCE)

    def waiting(self, now: datetime) -> RehearsalQuerySet:
        """For a node: nobody has it, or who had it fell silent."""
        return self.unanswered(now).filter(Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=now))


class Rehearsal(models.Model):
    """A run that somebody thinks of: what it would do and need, as a node says. The row is the queue, and
    the answer for whoever asks the same a little later. Nothing depends on it: it may be deleted at any time.
    """

    PATIENCE = timedelta(minutes=3)
    KEPT = timedelta(hours=1)
    """Memory that is free now may be taken then."""

    digest = models.CharField(_("digest of what was asked for"), max_length=64, unique=True)
    kind = models.CharField(_("kind"), max_length=10)
    snapshot = models.ForeignKey(
        Snapshot, models.CASCADE, related_name="rehearsals", verbose_name=_("snapshot")
    )
    base_model = models.CharField(_("starts from"), max_length=500)
    base_digest = models.CharField(_("its digest"), max_length=64)
    reward = models.ForeignKey(
        Checkpoint,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="rehearsals",
        verbose_name=_("reward model"),
    )
    holdout = models.ForeignKey(
        Checkpoint,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="rehearsals_watched_by_it",
        verbose_name=_("hold-out reward model"),
    )
    config = models.JSONField(_("settings"), default=dict)
    nodes = models.PositiveSmallIntegerField(_("nodes"), default=1)
    devices = models.PositiveSmallIntegerField(_("devices"), default=0)
    asked_at = models.DateTimeField(_("asked for"))
    worker = models.CharField(_("worker"), max_length=200, blank=True)
    lease_expires_at = models.DateTimeField(_("lease expires"), null=True, blank=True)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    told = models.JSONField(
        _("told"), default=dict, help_text=_("Facts, rows, tokens, needs, free memory and peaks.")
    )
    trouble = models.TextField(
        _("trouble"), blank=True, help_text=_("Why it could not be carried out, in the lab's words.")
    )
    took_too_long = models.BooleanField(_("took too long"), default=False)
    runs_beside = models.PositiveSmallIntegerField(
        _("runs beside it"), default=0, help_text=_("What they hold was not free.")
    )

    objects = RehearsalQuerySet.as_manager()

    class Meta:
        verbose_name = _("rehearsal")
        verbose_name_plural = _("rehearsals")

    def __str__(self) -> str:
        return f"#{self.pk} {self.kind}"

    @property
    def created_at(self) -> datetime:
        """Of the run, were it started instead."""
        return self.asked_at

    def given(self, role: str) -> Checkpoint | None:
        """Its ``base`` or ``reward``, as of a run; not stored where only its name was typed."""
        if role == "reward":
            return self.reward
        known = Checkpoint.objects.filter(digest=self.base_digest).first()
        return known or Checkpoint(location=self.base_model, digest=self.base_digest)

    def is_waited_for(self, now: datetime) -> bool:
        """Longer where a node has it: what it has to bring here first may be large."""
        is_held = self.lease_expires_at is not None and self.lease_expires_at > now
        return self.answered_at is None and (is_held or self.asked_at > now - self.PATIENCE)

    def ask_again(self, *, now: datetime) -> bool:
        """Unless the answer is fresh. Whoever is at work goes on. Return whether a node is asked."""
        old = Q(answered_at__isnull=True) | Q(answered_at__lte=now - self.KEPT)
        return self._move(old, asked_at=now, answered_at=None, told={}, trouble="", took_too_long=False)

    def claim(self, worker: str, *, now: datetime, lease: timedelta) -> bool:
        """Return False if somebody was faster."""
        waiting = Q(pk__in=Rehearsal.objects.waiting(now).values("pk"))
        # Also the columns themselves: PostgreSQL looks at them again once another writer is done.
        free = Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=now)
        return self._move(waiting & free, worker=worker, lease_expires_at=now + lease)

    def extend(self, *, now: datetime, lease: timedelta) -> bool:
        """Return False if another node has it by now."""
        return self._move(Q(worker=self.worker, answered_at=None), lease_expires_at=now + lease)

    def let_go(self) -> bool:
        """Without an answer: another node may take it."""
        return self._move(Q(worker=self.worker), worker="", lease_expires_at=None)

    def answer(self, *, now: datetime, **said: Any) -> bool:
        """Return False if another node has it by now."""
        return self._move(Q(worker=self.worker), answered_at=now, lease_expires_at=None, **said)

    def _move(self, only: Q, **changes: Any) -> bool:
        moved = Rehearsal.objects.filter(only, pk=self.pk).update(**changes)
        if moved:
            self.refresh_from_db()
        return moved == 1
