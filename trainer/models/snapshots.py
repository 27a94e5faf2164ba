from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from annotation.models import Campaign


class Snapshot(models.Model):
    """Frozen training data: one Parquet file, named by its content's sha256. Immutable."""

    class Kind(models.TextChoices):
        DEMONSTRATIONS = "demonstrations", _("Demonstrations")
        RANKINGS = "rankings", _("Rankings")
        PROMPTS = "prompts", _("Prompts")
        FEEDBACK = "feedback", _("Chat feedback")

    campaign = models.ForeignKey(
        Campaign, models.PROTECT, related_name="snapshots", verbose_name=_("campaign")
    )
    kind = models.CharField(_("kind"), max_length=14, choices=Kind.choices)
    digest = models.CharField(_("sha256"), max_length=64, unique=True)
    rows = models.PositiveIntegerField(_("rows"))
    manifest = models.JSONField(
        _("manifest"), help_text=_("Rows by split, filters and the versions of guidelines in it.")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="snapshots",
        verbose_name=_("created by"),
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("snapshot")
        verbose_name_plural = _("snapshots")

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_kind_display()} ({self.rows}) {self.digest[:8]}"

    @property
    def folder(self) -> Path:
        return Path(settings.SNAPSHOTS_ROOT) / self.digest

    @property
    def file(self) -> Path:
        return self.folder / f"{self.kind}.parquet"
