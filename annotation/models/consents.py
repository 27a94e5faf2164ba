from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation.models.campaigns import Campaign
from annotation.models.labelers import Person


class ConsentText(models.Model):
    """One version of what people agree to before they work in a campaign."""

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="consent_texts", verbose_name=_("campaign")
    )
    version = models.PositiveIntegerField(_("version"))
    text = models.TextField(_("text"), help_text=_("Markdown."))
    published_at = models.DateTimeField(_("published"))

    class Meta:
        verbose_name = _("consent text")
        verbose_name_plural = _("consent texts")
        constraints = [
            models.UniqueConstraint(name="consent_text_version_once", fields=["campaign", "version"]),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} v{self.version}"


class ConsentQuerySet(models.QuerySet["Consent"]):
    def standing(self) -> ConsentQuerySet:
        """Given and not withdrawn."""
        return self.filter(withdrawn_at__isnull=True)


class Consent(models.Model):
    """Somebody agreed to a version of a campaign's text, and may have withdrawn it."""

    text = models.ForeignKey(
        ConsentText, models.PROTECT, related_name="consents", verbose_name=_("consent text")
    )
    labeler = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="consents", verbose_name=_("labeler")
    )
    given_at = models.DateTimeField(_("given"))
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [
            models.UniqueConstraint(name="consent_once_per_text", fields=["text", "labeler"]),
        ]

    def __str__(self) -> str:
        return f"{self.labeler}: {self.text}"


class Tombstone(models.Model):
    """A contribution that was erased, or is no longer tied to a person. Later snapshots list these."""

    class Kind(models.TextChoices):
        RANKING = "ranking", _("Ranking")
        DEMONSTRATION = "demonstration", _("Demonstration")
        FEEDBACK = "feedback", _("Chat feedback")

    class Mode(models.TextChoices):
        REMOVED = "removed", _("Removed")
        """The contribution is gone."""
        ANONYMISED = "anonymised", _("Anonymised")
        """It is kept, and nobody can tell whose it was."""

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="tombstones", verbose_name=_("campaign")
    )
    kind = models.CharField(_("kind"), max_length=13, choices=Kind.choices)
    row = models.PositiveBigIntegerField(_("row"), help_text=_("The number that the contribution had."))
    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices)
    erased_at = models.DateTimeField(_("erased"))

    class Meta:
        verbose_name = _("tombstone")
        verbose_name_plural = _("tombstones")
        constraints = [
            models.UniqueConstraint(name="tombstone_once", fields=["kind", "row", "mode"]),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.row}"


class ErasureRequestQuerySet(models.QuerySet["ErasureRequest"]):
    def waiting(self) -> ErasureRequestQuerySet:
        """Asked for, and not decided."""
        return self.filter(approved_at__isnull=True)

    def approved(self) -> ErasureRequestQuerySet:
        """Decided, and not yet done to the end."""
        return self.filter(approved_at__isnull=False, finished_at__isnull=True)


class ErasureRequest(models.Model):
    """Somebody is to be forgotten: asked → approved → finished.

    The row is the queue of erasures; a Celery message is only a doorbell. A finished one no longer says who
    it was about.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="erasure_requests",
        verbose_name=_("person"),
    )
    mode = models.CharField(_("contributions are"), max_length=10, choices=Tombstone.Mode.choices)
    asked_at = models.DateTimeField(_("asked"))
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("approved by"),
    )
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = ErasureRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("erasure request")
        verbose_name_plural = _("erasure requests")
        constraints = [
            models.UniqueConstraint(name="erasure_request_once_per_person", fields=["person"]),
            models.CheckConstraint(
                name="erasure_request_about_somebody_until_finished",
                condition=Q(finished_at__isnull=True, person__isnull=False)
                | Q(finished_at__isnull=False, person__isnull=True),
            ),
            models.CheckConstraint(
                name="erasure_request_approved_before_finished",
                condition=Q(finished_at__isnull=True) | Q(approved_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def approve(self, by: Person, *, mode: str, now: datetime) -> bool:
        """Let it be carried out. Return False if it was taken back or approved meanwhile."""
        return self._move(ErasureRequest.objects.waiting(), mode=mode, approved_by=by, approved_at=now)

    def change_mode(self, mode: str) -> bool:
        """Wish for the other way. Return False if it was approved already."""
        return self._move(ErasureRequest.objects.waiting(), mode=mode)

    def finish(self, *, now: datetime) -> bool:
        """Forget whom it was about."""
        return self._move(ErasureRequest.objects.approved(), person=None, finished_at=now)

    def _move(self, allowed: ErasureRequestQuerySet, **changes: Any) -> bool:
        # One conditional UPDATE is the whole transition: the database decides who wins.
        moved = allowed.filter(pk=self.pk).update(**changes)
        if moved:
            self.refresh_from_db()
        return moved == 1
