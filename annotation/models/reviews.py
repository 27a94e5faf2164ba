from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation.models.demonstrations import Demonstration


class Review(models.Model):
    """What a reviewer said of a demonstration as it then was. Append-only.

    What labelers disagree on is reviewed by a ranking of the reviewer's own: an assignment whose purpose is
    adjudication.
    """

    class Verdict(models.TextChoices):
        ACCEPTED = "ACCEPTED", _("Accepted")
        RETURNED = "RETURNED", _("Returned")

    demonstration = models.ForeignKey(
        Demonstration, models.CASCADE, related_name="reviews", verbose_name=_("demonstration")
    )
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="reviews", verbose_name=_("reviewer")
    )
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict.choices)
    reason = models.TextField(_("reason"), blank=True, help_text=_("Shown to the author."))
    turns = models.JSONField(_("turns"), help_text=_("The turns that were reviewed."))
    reviewed_at = models.DateTimeField(_("reviewed"))
    read_at = models.DateTimeField(
        _("read"), null=True, blank=True, help_text=_("When its author first saw it.")
    )

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        constraints = [
            models.CheckConstraint(
                name="review_returns_with_a_reason", condition=Q(verdict="ACCEPTED") | ~Q(reason="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.demonstration}: {self.get_verdict_display()}"
