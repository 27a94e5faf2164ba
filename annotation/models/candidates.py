from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from annotation.models.prompts import Prompt


class Completion(models.Model):
    """One answer text to a prompt. Who or what wrote it is not recorded here, so no screen can leak it."""

    prompt = models.ForeignKey(Prompt, models.CASCADE, related_name="completions", verbose_name=_("prompt"))
    text = models.TextField(_("text"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("completion")
        verbose_name_plural = _("completions")

    def __str__(self) -> str:
        return self.text if len(self.text) <= 80 else f"{self.text[:79]}…"


class CandidateSet(models.Model):
    """Completions of one prompt that labelers rank against each other."""

    prompt = models.ForeignKey(
        Prompt, models.CASCADE, related_name="candidate_sets", verbose_name=_("prompt")
    )
    completions = models.ManyToManyField(
        Completion, related_name="candidate_sets", verbose_name=_("completions")
    )
    authors = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        related_name="+",
        blank=True,
        verbose_name=_("authors"),
        help_text=_("People who wrote the prompt or a candidate: never asked to rank them."),
    )
    digest = models.CharField(
        _("digest"), max_length=64, editable=False, help_text=_("Of the prompt and the texts.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("candidate set")
        verbose_name_plural = _("candidate sets")
        indexes = [models.Index(name="candidate_set_by_digest", fields=["digest"])]

    def __str__(self) -> str:
        return f"#{self.pk}"
