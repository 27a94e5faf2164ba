from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from annotation.models.campaigns import Campaign


class PromptQuerySet(models.QuerySet["Prompt"]):
    def wanting_demonstrations(self, campaign: Campaign) -> PromptQuerySet:
        """Prompts with fewer finished demonstrations than the campaign asks for."""
        finished = models.Count("demonstrations", filter=~models.Q(demonstrations__status="DRAFT"))
        return (
            self.filter(campaign=campaign)
            .annotate(finished_demonstrations=finished)
            .filter(finished_demonstrations__lt=campaign.demonstrations_per_prompt)
        )


class Prompt(models.Model):
    """A conversation so far that needs an answer."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="prompts", verbose_name=_("campaign"))
    messages = models.JSONField(
        _("messages"), help_text=_("The conversation, oldest first; the last message is the user's.")
    )
    kind = models.CharField(_("kind"), max_length=40, blank=True)
    language = models.CharField(_("language"), max_length=20, blank=True)
    source = models.CharField(
        _("source"), max_length=200, blank=True, help_text=_("Where the prompt was imported from.")
    )
    digest = models.CharField(_("digest"), max_length=64, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = PromptQuerySet.as_manager()

    class Meta:
        verbose_name = _("prompt")
        verbose_name_plural = _("prompts")
        constraints = [
            # Importing the same file twice adds nothing.
            models.UniqueConstraint(name="prompt_once_per_campaign", fields=["campaign", "digest"]),
        ]

    def __str__(self) -> str:
        text: str = self.messages[-1]["content"] if self.messages else ""
        return text if len(text) <= 80 else f"{text[:79]}…"
