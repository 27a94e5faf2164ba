from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation.models.campaigns import Campaign
from annotation.models.chats import ChatMessage
from annotation.models.demonstrations import Demonstration
from annotation.models.prompts import Prompt
from annotation.models.rankings import Ranking


class FeedbackUse(models.Model):
    """What became of one piece of chat feedback: from here back to the chat, and on to the data.

    What is said of one answer alone is the data itself (``prompt``, ``answer``, ``is_good``); a choice
    between two became ``ranking``, and a better answer ``demonstration``.
    """

    class Source(models.TextChoices):
        THUMB = "thumb", _("Thumb")
        SIDE_BY_SIDE = "side_by_side", _("Choice between two answers")
        BETTER_ANSWER = "better_answer", _("Better answer")
        REGENERATED = "regenerated", _("Answer made again")
        """Weak: nobody said that the first was bad."""
        EDITED = "edited", _("Message sent again in other words")
        """Weak: the answer to the first may have been good."""

    WEAK = (Source.REGENERATED, Source.EDITED)
    OF_ONE_ANSWER = (Source.THUMB, *WEAK)

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="feedback_uses", verbose_name=_("campaign")
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="feedback_uses", verbose_name=_("person")
    )
    # Without one the chat is gone, and what was made of it goes before the next snapshot.
    message = models.ForeignKey(
        ChatMessage,
        models.SET_NULL,
        null=True,
        related_name="feedback_uses",
        verbose_name=_("message"),
        help_text=_("The answer that the feedback is about; the left one of two."),
    )
    source = models.CharField(_("source"), max_length=13, choices=Source.choices)
    prompt = models.ForeignKey(Prompt, models.CASCADE, related_name="feedback_uses", verbose_name=_("prompt"))
    answer = models.TextField(_("answer"), blank=True)
    is_good = models.BooleanField(_("good"), null=True, blank=True)
    ranking = models.OneToOneField(
        Ranking,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="feedback_use",
        verbose_name=_("ranking"),
    )
    demonstration = models.OneToOneField(
        Demonstration,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="feedback_use",
        verbose_name=_("demonstration"),
    )
    weight = models.FloatField(
        _("weight"), help_text=_("How much it counts in training; a labeler's ranking counts 1.")
    )
    given_at = models.DateTimeField(_("given"))
    made_at = models.DateTimeField(_("made"))

    class Meta:
        verbose_name = _("use of feedback")
        verbose_name_plural = _("uses of feedback")
        constraints = [
            models.UniqueConstraint(name="feedback_use_once", fields=["message", "source"]),
            models.CheckConstraint(
                name="feedback_use_is_what_its_source_gives",
                condition=(
                    Q(source__in=["thumb", "regenerated", "edited"], is_good__isnull=False)
                    & Q(ranking__isnull=True, demonstration__isnull=True)
                )
                | Q(source="side_by_side", is_good__isnull=True)
                & Q(ranking__isnull=False, demonstration__isnull=True)
                | Q(source="better_answer", is_good__isnull=True)
                & Q(ranking__isnull=True, demonstration__isnull=False),
            ),
            models.CheckConstraint(name="feedback_use_weighs_something", condition=Q(weight__gt=0)),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_source_display()}"
