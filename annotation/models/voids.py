from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation.models.assignments import Assignment
from annotation.models.campaigns import Campaign


class Void(models.Model):
    """Work of one person that counts for nothing, until a researcher takes that back.

    Nothing is deleted: rankings leave the overlap with their turns, demonstrations point here.
    """

    labeler = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="voids",
        verbose_name=_("labeler"),
        help_text=_("Empty once they were erased."),
    )
    campaign = models.ForeignKey(
        Campaign,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="voids",
        verbose_name=_("campaign"),
        help_text=_("Empty means all campaigns."),
    )
    since = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("until"), help_text=_("What came later counts."))
    reason = models.CharField(_("reason"), max_length=500)
    reopens = models.BooleanField(
        _("asked for again"), help_text=_("Others are asked for what this leaves open.")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="voids_made", verbose_name=_("voided by")
    )
    created_at = models.DateTimeField(_("voided"))
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("restored by"),
    )
    lifted_at = models.DateTimeField(_("restored"), null=True, blank=True)

    class Meta:
        verbose_name = _("voided work")
        verbose_name_plural = _("voided work")
        constraints = [
            models.CheckConstraint(name="void_from_before_until", condition=Q(since__lt=models.F("until")))
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class VoidedTurn(models.Model):
    """A turn that a void took out of the overlap, and what it was there."""

    void = models.ForeignKey(Void, models.CASCADE, related_name="turns", verbose_name=_("voided work"))
    assignment = models.ForeignKey(
        Assignment, models.CASCADE, related_name="voided_turns", verbose_name=_("assignment")
    )
    purpose = models.CharField(_("purpose"), max_length=12, choices=Assignment.Purpose.choices)
    slot = models.PositiveSmallIntegerField(_("slot"), null=True, blank=True)
    is_settled = models.BooleanField(
        _("settled"), default=False, help_text=_("The consensus of its candidates was made again since.")
    )

    class Meta:
        verbose_name = _("voided turn")
        verbose_name_plural = _("voided turns")
        constraints = [
            models.UniqueConstraint(name="voided_turn_once_per_void", fields=["void", "assignment"])
        ]
        indexes = [
            models.Index(name="voided_turn_to_settle", fields=["id"], condition=Q(is_settled=False)),
        ]

    def __str__(self) -> str:
        return str(self.assignment)
