from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from annotation.models.campaigns import Campaign


class PromptQuerySet(models.QuerySet["Prompt"]):
    def wanting_demonstrations(self, campaign: Campaign) -> PromptQuerySet:
        """Prompts with fewer demonstrations handed in, and not returned, than the campaign asks for."""
        demonstrations = self.model._meta.get_field("demonstrations").related_model._default_manager
        finished = (
            demonstrations.filter(prompt=models.OuterRef("pk"), status__in=["SUBMITTED", "ACCEPTED"])
            .filter(is_synthetic=False)
            .exclude(void__reopens=True)
            .values("prompt")
            .values(count=models.Count("pk"))
        )
        # Counted prompt by prompt: who needs only a few of a million groups none of the others.
        return (
            self.filter(campaign=campaign, status=Prompt.Status.READY)
            .annotate(finished_demonstrations=Coalesce(models.Subquery(finished), 0))
            .filter(finished_demonstrations__lt=campaign.demonstrations_per_prompt)
        )


class Prompt(models.Model):
    """A conversation so far that needs an answer."""

    class Status(models.TextChoices):
        READY = "READY", _("Ready")
        """Labelers may see it."""
        HELD = "HELD", _("Held")
        """The scan found what may be personal data, or a model made it up; a researcher decides."""
        REJECTED = "REJECTED", _("Rejected")
        """A researcher kept it from labelers, or whoever wrote it took it back. Final."""
        CHAT = "CHAT", _("From a chat")
        """Somebody's chat, where feedback was given: models may learn from that; labelers do not see it."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="prompts", verbose_name=_("campaign"))
    messages = models.JSONField(
        _("messages"), help_text=_("The conversation, oldest first; the last message is the user's.")
    )
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.READY)
    findings = models.JSONField(
        _("findings"),
        default=list,
        blank=True,
        help_text=_("What the scan for personal data found: its kind, its message and its place."),
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="prompts",
        verbose_name=_("author"),
        help_text=_("Never asked to answer or to rank it."),
    )
    kind = models.CharField(_("kind"), max_length=40, blank=True)
    language = models.CharField(_("language"), max_length=20, blank=True)
    skill = models.CharField(
        _("skill"), max_length=40, blank=True, help_text=_("What one must be good at to judge its answers.")
    )
    source = models.CharField(
        _("source"), max_length=200, blank=True, help_text=_("Where the prompt was imported from.")
    )
    is_synthetic = models.BooleanField(
        _("synthetic"), default=False, help_text=_("A model made it up; no person wrote it.")
    )
    digest = models.CharField(_("digest"), max_length=64, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = PromptQuerySet.as_manager()

    class Meta:
        verbose_name = _("prompt")
        verbose_name_plural = _("prompts")
        indexes = [
            models.Index(name="prompt_held", fields=["campaign", "id"], condition=Q(status="HELD")),
        ]
        constraints = [
            # Importing the same file twice adds nothing.
            models.UniqueConstraint(name="prompt_once_per_campaign", fields=["campaign", "digest"]),
        ]

    def __str__(self) -> str:
        text: str = self.messages[-1]["content"] if self.messages else ""
        return text if len(text) <= 80 else f"{text[:79]}…"
