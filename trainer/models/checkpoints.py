from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Checkpoint(models.Model):
    """Saved weights, and the run that made them. Immutable."""

    class Kind(models.TextChoices):
        BASE = "base", _("Base model")
        SFT = "sft", _("Supervised (SFT)")
        REWARD = "reward", _("Reward model")
        PPO = "ppo", _("Policy (PPO)")
        DPO = "dpo", _("Policy (DPO)")
        KTO = "kto", _("Policy (KTO)")
        COMPRESSED = "compressed", _("Compressed")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=200)
    location = models.CharField(
        _("location"), max_length=500, help_text=_("A folder, or a Hugging Face id for base models.")
    )
    digest = models.CharField(_("sha256"), max_length=64, unique=True)
    produced_by = models.OneToOneField(
        "trainer.Run",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="checkpoint",
        verbose_name=_("produced by"),
    )
    summary = models.JSONField(_("summary"), default=dict, help_text=_("The figures its run ended with."))
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")
        constraints = [
            models.CheckConstraint(
                name="checkpoint_produced_by_null_only_for_base",
                condition=Q(kind="base", produced_by__isnull=True)
                | (~Q(kind="base") & Q(produced_by__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.name
