from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation.models import Campaign, ChatMessage
from trainer.models.checkpoints import Checkpoint
from trainer.models.runs import Run


class Evaluation(models.Model):
    """What was measured of a checkpoint, by name: held-out scores, a win rate, its speed. Immutable."""

    checkpoint = models.ForeignKey(
        Checkpoint, models.PROTECT, related_name="evaluations", verbose_name=_("checkpoint")
    )
    campaign = models.ForeignKey(
        Campaign,
        models.CASCADE,
        related_name="evaluations",
        verbose_name=_("campaign"),
        help_text=_("Whose prompts it was measured on."),
    )
    run = models.OneToOneField(
        Run, models.PROTECT, null=True, blank=True, related_name="evaluation", verbose_name=_("run")
    )
    figures = models.JSONField(_("figures"))
    measured_at = models.DateTimeField(_("measured"))

    class Meta:
        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")

    def __str__(self) -> str:
        return f"#{self.pk} {self.checkpoint}"


class PromotionQuerySet(models.QuerySet["Promotion"]):
    def standing(self) -> PromotionQuerySet:
        return self.filter(ended_at__isnull=True)


class Promotion(models.Model):
    """A checkpoint that answers a campaign's chats and writes its candidates, until another does."""

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="promotions", verbose_name=_("campaign")
    )
    checkpoint = models.ForeignKey(
        Checkpoint, models.PROTECT, related_name="promotions", verbose_name=_("checkpoint")
    )
    figures = models.JSONField(
        _("figures"), default=dict, help_text=_("What was asked of it then, and what it reached.")
    )
    promoted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="promotions",
        verbose_name=_("promoted by"),
    )
    promoted_at = models.DateTimeField(_("promoted"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = PromotionQuerySet.as_manager()

    class Meta:
        verbose_name = _("promotion")
        verbose_name_plural = _("promotions")
        constraints = [
            models.UniqueConstraint(
                name="promotion_one_standing_per_campaign",
                fields=["campaign"],
                condition=Q(ended_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign}: {self.checkpoint}"


class ModelServerQuerySet(models.QuerySet["ModelServer"]):
    def alive(self, now: datetime) -> ModelServerQuerySet:
        return self.filter(last_seen_at__gt=now - ModelServer.SILENT_AFTER)


class ModelServer(models.Model):
    """Where a campaign's model answers, as the process that serves it last told."""

    SILENT_AFTER = timedelta(seconds=30)

    campaign = models.OneToOneField(
        Campaign, models.CASCADE, related_name="model_server", verbose_name=_("campaign")
    )
    checkpoint = models.ForeignKey(
        Checkpoint, models.PROTECT, related_name="servers", verbose_name=_("checkpoint")
    )
    url = models.URLField(_("address"), help_text=_("Of an OpenAI-compatible server, up to and with /v1."))
    last_seen_at = models.DateTimeField(_("last seen"))

    objects = ModelServerQuerySet.as_manager()

    class Meta:
        verbose_name = _("model server")
        verbose_name_plural = _("model servers")

    def __str__(self) -> str:
        return f"{self.campaign}: {self.url}"


class ServedMessage(models.Model):
    """Which checkpoint wrote an answer in a chat.

    Only here: ``annotation`` cannot import it, so who compares two answers stays blind.
    """

    message = models.OneToOneField(ChatMessage, models.CASCADE, related_name="+", verbose_name=_("message"))
    checkpoint = models.ForeignKey(
        Checkpoint, models.PROTECT, related_name="served", verbose_name=_("checkpoint")
    )

    class Meta:
        verbose_name = _("served message")
        verbose_name_plural = _("served messages")

    def __str__(self) -> str:
        return f"{self.checkpoint}: {self.message}"


class GateRule(models.Model):
    """What a checkpoint must reach before it may answer a campaign's chats."""

    class Bound(models.TextChoices):
        AT_LEAST = "at_least", _("at least")
        AT_MOST = "at_most", _("at most")

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="gate_rules", verbose_name=_("campaign")
    )
    figure = models.CharField(
        _("figure"),
        max_length=60,
        help_text=_(
            "As its run or an evaluation names it, such as held_out_loss, score, ref_kl or win_rate_low."
        ),
    )
    bound = models.CharField(_("bound"), max_length=8, choices=Bound.choices)
    value = models.FloatField(_("value"))

    class Meta:
        verbose_name = _("promotion rule")
        verbose_name_plural = _("promotion rules")
        constraints = [
            models.UniqueConstraint(name="gate_rule_once", fields=["campaign", "figure", "bound"]),
        ]

    def __str__(self) -> str:
        return f"{self.figure} {self.get_bound_display()} {self.value:g}"

    def holds(self, measured: float | None) -> bool:
        """What was not measured does not hold."""
        if measured is None:
            return False
        return measured >= self.value if self.bound == self.Bound.AT_LEAST else measured <= self.value
