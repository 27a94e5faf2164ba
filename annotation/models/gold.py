from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation.models.campaigns import Campaign
from annotation.models.candidates import CandidateSet


class Gold(models.Model):
    """The known answer of a candidate set. Handed out among the others to measure labelers."""

    candidate_set = models.OneToOneField(
        CandidateSet, models.CASCADE, related_name="gold", verbose_name=_("candidate set")
    )
    # The candidate set knows it through its prompt; kept here too, as in an assignment.
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="gold", verbose_name=_("campaign"))
    tiers = models.JSONField(_("tiers"), help_text=_("Completion ids, best first; a shared tier is a tie."))
    unacceptable = models.JSONField(_("unacceptable"), default=list, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("created by"),
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("gold answer")
        verbose_name_plural = _("gold answers")

    def __str__(self) -> str:
        return str(self.candidate_set)


class Pause(models.Model):
    """A labeler gets no work in a campaign until somebody lifts the pause."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="pauses", verbose_name=_("campaign"))
    labeler = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="pauses", verbose_name=_("labeler")
    )
    reason = models.CharField(_("reason"), max_length=500)
    paused_at = models.DateTimeField(_("paused"))
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        constraints = [
            models.UniqueConstraint(
                name="pause_once_at_a_time",
                fields=["campaign", "labeler"],
                condition=Q(lifted_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.labeler}: {self.reason}"
