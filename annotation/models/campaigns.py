from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def active(self) -> CampaignQuerySet:
        return self.filter(status=Campaign.Status.ACTIVE)


class Campaign(models.Model):
    """A body of prompts, the people's work on them, and the rules of that work."""

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", _("Active")
        """Labelers are handed work."""
        PAUSED = "PAUSED", _("Paused")
        """Nothing new is handed out; held work may still be submitted."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    description = models.TextField(_("description"), blank=True)
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.ACTIVE)
    overlap = models.PositiveSmallIntegerField(
        _("overlap"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(9)],
        help_text=_("How many labelers rank each candidate set."),
    )
    demonstrations_per_prompt = models.PositiveSmallIntegerField(
        _("demonstrations per prompt"),
        default=1,
        validators=[MaxValueValidator(9)],
        help_text=_("How many labelers write an answer to each prompt; 0 asks for none."),
    )
    lease_minutes = models.PositiveSmallIntegerField(
        _("lease in minutes"),
        default=45,
        validators=[MinValueValidator(1), MaxValueValidator(1440)],
        help_text=_("How long a labeler may hold an assignment without a sign of life."),
    )
    held_out_percent = models.PositiveSmallIntegerField(
        _("held-out share in percent"),
        default=25,
        validators=[MaxValueValidator(90)],
        help_text=_("The share of prompts that no model is trained on; decided by the prompt's text."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        constraints = [
            models.CheckConstraint(name="campaign_overlap_1_to_9", condition=Q(overlap__range=(1, 9))),
            models.CheckConstraint(
                name="campaign_held_out_at_most_90", condition=Q(held_out_percent__range=(0, 90))
            ),
            models.CheckConstraint(name="campaign_lease_positive", condition=Q(lease_minutes__gte=1)),
        ]

    def __str__(self) -> str:
        return self.name


class Guideline(models.Model):
    """One version of what labelers are told. Judgements keep the version they were made under."""

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="guidelines", verbose_name=_("campaign")
    )
    version = models.PositiveIntegerField(_("version"))
    text = models.TextField(_("text"), help_text=_("Markdown."))
    published_at = models.DateTimeField(_("published"))

    class Meta:
        verbose_name = _("guideline")
        verbose_name_plural = _("guidelines")
        constraints = [
            models.UniqueConstraint(name="guideline_version_once", fields=["campaign", "version"]),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} v{self.version}"
