from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from annotation.models.campaigns import Campaign


class ChatConsent(models.Model):
    """What somebody said when asked whether their chats in a campaign may train the next model."""

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="chat_consents", verbose_name=_("campaign")
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="chat_consents", verbose_name=_("person")
    )
    allows_training = models.BooleanField(_("allows training"), default=False)
    changed_at = models.DateTimeField(_("changed"))

    class Meta:
        verbose_name = _("chat consent")
        verbose_name_plural = _("chat consents")
        constraints = [
            models.UniqueConstraint(name="chat_consent_once_per_person", fields=["campaign", "person"]),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.campaign}"


class Chat(models.Model):
    """One conversation of a person with a campaign's model."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="chats", verbose_name=_("campaign"))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="chats", verbose_name=_("person")
    )
    title = models.CharField(_("title"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"))
    updated_at = models.DateTimeField(_("updated"))

    class Meta:
        verbose_name = _("chat")
        verbose_name_plural = _("chats")
        indexes = [models.Index(name="chat_latest_of_person", fields=["person", "-updated_at"])]

    def __str__(self) -> str:
        return self.title or f"#{self.pk}"


class ChatMessage(models.Model):
    """One message. Those of a chat are a tree: an answer made again, or a message sent again in other words,
    is a sibling of the one before. Which checkpoint wrote an answer is not recorded here."""

    class Role(models.TextChoices):
        USER = "user", _("User")
        ASSISTANT = "assistant", _("Assistant")

    class Origin(models.TextChoices):
        FIRST = "first", _("First")
        """What comes next in the conversation."""
        AGAIN = "again", _("Made again")
        """The user wanted another answer in the place of one: a weak sign against that one."""
        EDITED = "edited", _("Edited")
        """The user sent a message again in other words: a weak sign against the answer to the first."""
        BESIDE = "beside", _("Beside another")
        """The second of two answers that the user is asked to compare."""

    class Status(models.TextChoices):
        WRITING = "WRITING", _("Being written")
        """The model has not finished it."""
        FINISHED = "FINISHED", _("Finished")
        STOPPED = "STOPPED", _("Stopped")
        """The user stopped it, or left; what there was is kept."""
        FAILED = "FAILED", _("Failed")
        """The model could not be asked, or broke off."""

    chat = models.ForeignKey(Chat, models.CASCADE, related_name="messages", verbose_name=_("chat"))
    parent = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="replies", verbose_name=_("parent")
    )
    role = models.CharField(_("role"), max_length=9, choices=Role.choices)
    origin = models.CharField(_("origin"), max_length=6, choices=Origin.choices, default=Origin.FIRST)
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.FINISHED)
    text = models.TextField(_("text"), blank=True)
    idempotency_key = models.UUIDField(_("idempotency key"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"))
    begun_at = models.DateTimeField(
        _("begun"), null=True, blank=True, help_text=_("When the model was asked for it; once.")
    )
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("chat message")
        verbose_name_plural = _("chat messages")
        constraints = [
            models.UniqueConstraint(
                name="chat_message_idempotency_key_once", fields=["chat", "idempotency_key"]
            ),
            models.CheckConstraint(
                name="chat_message_only_answers_are_unfinished",
                condition=Q(role="assistant") | Q(status="FINISHED"),
            ),
            models.CheckConstraint(
                name="chat_message_finished_at_null_while_written",
                condition=Q(status="WRITING", finished_at__isnull=True)
                | (~Q(status="WRITING") & Q(finished_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.text if len(self.text) <= 80 else f"{self.text[:79]}…"


class Thumb(models.Model):
    """Whether an answer was good, and in which ways it was not."""

    message = models.OneToOneField(
        ChatMessage, models.CASCADE, related_name="thumb", verbose_name=_("message")
    )
    is_up = models.BooleanField(_("up"))
    reasons = models.JSONField(_("reasons"), default=list, blank=True)
    note = models.TextField(_("note"), blank=True)
    given_at = models.DateTimeField(_("given"))

    class Meta:
        verbose_name = _("thumb")
        verbose_name_plural = _("thumbs")

    def __str__(self) -> str:
        return f"{'+' if self.is_up else '-'} {self.message}"


class SideBySide(models.Model):
    """Two answers to one message, shown to the user side by side without a word on who wrote them."""

    class Verdict(models.TextChoices):
        LEFT = "left", _("Left is better")
        RIGHT = "right", _("Right is better")
        TIE = "tie", _("Equally good")
        BOTH_BAD = "both_bad", _("Both are bad")
        SKIPPED = "skipped", _("Not answered")

    left = models.OneToOneField(ChatMessage, models.CASCADE, related_name="+", verbose_name=_("left"))
    right = models.OneToOneField(ChatMessage, models.CASCADE, related_name="+", verbose_name=_("right"))
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict.choices, blank=True)
    asked_at = models.DateTimeField(_("asked"))
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)

    class Meta:
        verbose_name = _("two answers side by side")
        verbose_name_plural = _("answers side by side")
        constraints = [
            models.CheckConstraint(name="side_by_side_two_answers", condition=~Q(left=F("right"))),
            models.CheckConstraint(
                name="side_by_side_answered_at_null_iff_no_verdict",
                condition=Q(verdict="", answered_at__isnull=True)
                | (~Q(verdict="") & Q(answered_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class BetterAnswer(models.Model):
    """What the user would rather have read."""

    message = models.OneToOneField(
        ChatMessage, models.CASCADE, related_name="better_answer", verbose_name=_("message")
    )
    text = models.TextField(_("text"))
    written_at = models.DateTimeField(_("written"))

    class Meta:
        verbose_name = _("better answer")
        verbose_name_plural = _("better answers")

    def __str__(self) -> str:
        return self.text if len(self.text) <= 80 else f"{self.text[:79]}…"
