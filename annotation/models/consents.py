from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from annotation.models.campaigns import Campaign


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
