from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from annotation.models.campaigns import Guideline
from annotation.models.candidates import Completion
from annotation.models.consents import ConsentText
from annotation.models.labelers import Person
from annotation.models.prompts import Prompt


class DemonstrationQuerySet(models.QuerySet["Demonstration"]):
    def for_labeler(self, labeler: Person) -> DemonstrationQuerySet:
        return self.filter(labeler=labeler)

    def drafts(self) -> DemonstrationQuerySet:
        return self.filter(status=Demonstration.Status.DRAFT)

    def submitted(self) -> DemonstrationQuerySet:
        return self.filter(status=Demonstration.Status.SUBMITTED)

    def returned(self) -> DemonstrationQuerySet:
        return self.filter(status=Demonstration.Status.RETURNED)

    def wanted(self) -> DemonstrationQuerySet:
        """Drafts that their authors have not skipped."""
        return self.drafts().filter(skipped_at=None)

    def skipped(self) -> DemonstrationQuerySet:
        return self.filter(skipped_at__isnull=False)

    def to_write(self) -> DemonstrationQuerySet:
        """Begun or sent back, and not skipped: what waits for its author."""
        unwritten = [Demonstration.Status.DRAFT, Demonstration.Status.RETURNED]
        return self.filter(status__in=unwritten, skipped_at=None)

    def reviewable_by(self, reviewer: Person, now: datetime) -> DemonstrationQuerySet:
        """Handed in by others, and in front of no other reviewer."""
        free = Q(reviewer=None) | Q(reviewer=reviewer) | Q(review_expires_at__lte=now)
        return self.submitted().exclude(labeler=reviewer).filter(free, void=None)

    def with_suggestion(self) -> DemonstrationQuerySet:
        """Their authors saw an answer to the prompt, and are not asked to rank any."""
        return self.filter(suggestion__isnull=False)

    def usable(self) -> DemonstrationQuerySet:
        """Handed in, not returned and not voided: what a model may learn from."""
        statuses = [Demonstration.Status.SUBMITTED, Demonstration.Status.ACCEPTED]
        handed_in = self.filter(status__in=statuses, void=None)
        # What a chat user would rather have read, no guideline asked for, and what a model made up nobody
        # has read: they wait for a reviewer.
        unread = Q(feedback_use__isnull=False) | Q(is_synthetic=True)
        return handed_in.exclude(unread, status=Demonstration.Status.SUBMITTED)


class Demonstration(models.Model):
    """An ideal continuation of a prompt, written by a labeler who plays both sides.

    DRAFT → SUBMITTED → ACCEPTED or RETURNED, from where its author takes it back to DRAFT.
    """

    class Status(models.TextChoices):
        DRAFT = "DRAFT", _("Draft")
        """Being written. Kept until it is submitted."""
        SUBMITTED = "SUBMITTED", _("Submitted")
        """Handed in; a reviewer may look at it."""
        ACCEPTED = "ACCEPTED", _("Accepted")
        """A reviewer agreed."""
        RETURNED = "RETURNED", _("Returned")
        """A reviewer sent it back; no model learns from it."""

    prompt = models.ForeignKey(
        Prompt, models.CASCADE, related_name="demonstrations", verbose_name=_("prompt")
    )
    labeler = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="demonstrations", verbose_name=_("labeler")
    )
    guideline = models.ForeignKey(
        Guideline, models.PROTECT, null=True, related_name="demonstrations", verbose_name=_("guideline")
    )
    consent = models.ForeignKey(
        ConsentText,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="demonstrations",
        verbose_name=_("consent"),
        help_text=_("The text that its labeler had agreed to."),
    )
    status = models.CharField(_("status"), max_length=9, choices=Status.choices, default=Status.DRAFT)
    turns = models.JSONField(
        _("turns"),
        default=list,
        help_text=_("What the labeler wrote after the prompt; the last turn is the assistant's."),
    )
    is_synthetic = models.BooleanField(
        _("synthetic"), default=False, help_text=_("A model made it up; no person wrote it.")
    )
    revision = models.PositiveIntegerField(
        _("revision"), default=0, help_text=_("Counts saves, so that two tabs cannot overwrite each other.")
    )
    suggestion = models.ForeignKey(
        Completion,
        models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("suggestion"),
        help_text=_("An answer that the labeler asked to see."),
    )
    seconds_spent = models.FloatField(_("seconds spent"), default=0)
    idempotency_key = models.UUIDField(_("idempotency key"), null=True, blank=True)
    skip_reason = models.CharField(_("reason of the skip"), max_length=500, blank=True)
    skipped_at = models.DateTimeField(
        _("skipped"), null=True, blank=True, help_text=_("Its author passed on it; what they wrote is kept.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True, db_index=True)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("reviewer"),
        help_text=_("Who looks at it now."),
    )
    review_expires_at = models.DateTimeField(_("review lease expires"), null=True, blank=True)
    void = models.ForeignKey(
        "annotation.Void",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="demonstrations",
        verbose_name=_("voided work"),
        help_text=_("While it is part of one, no model learns from it."),
    )

    objects = DemonstrationQuerySet.as_manager()

    class Meta:
        verbose_name = _("demonstration")
        verbose_name_plural = _("demonstrations")
        indexes = [
            models.Index(
                name="demonstration_next_to_review",
                fields=["submitted_at", "id"],
                condition=Q(status="SUBMITTED"),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="demonstration_once_per_labeler_and_prompt", fields=["prompt", "labeler"]
            ),
            models.UniqueConstraint(
                name="demonstration_idempotency_key_once", fields=["labeler", "idempotency_key"]
            ),
            models.CheckConstraint(
                name="demonstration_submitted_at_null_iff_draft",
                condition=Q(status="DRAFT", submitted_at__isnull=True)
                | (~Q(status="DRAFT") & Q(submitted_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="demonstration_skipped_only_while_draft",
                condition=Q(skipped_at__isnull=True, skip_reason="") | Q(status="DRAFT"),
            ),
            models.CheckConstraint(
                name="demonstration_reviewed_only_while_submitted",
                condition=Q(reviewer__isnull=True, review_expires_at__isnull=True)
                | Q(status="SUBMITTED", reviewer__isnull=False, review_expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def save_draft(self, turns: list[dict[str, str]], *, revision: int) -> bool:
        """Keep ``turns``. Return False if another tab saved since ``revision``, or it is submitted."""
        unchanged = Demonstration.objects.drafts().filter(revision=revision)
        return self._move(unchanged, turns=turns, revision=revision + 1)

    def submit(
        self,
        turns: list[dict[str, str]],
        *,
        now: datetime,
        seconds_spent: float,
        idempotency_key: UUID,
        **changes: Any,
    ) -> bool:
        """Hand it in. Return False if it already was."""
        # A draft may have been handed in before and returned: the same key then means that first time.
        drafts = Demonstration.objects.drafts().exclude(idempotency_key=idempotency_key)
        return self._move(
            drafts,
            turns=turns,
            status=self.Status.SUBMITTED,
            submitted_at=now,
            seconds_spent=seconds_spent,
            idempotency_key=idempotency_key,
            # It was skipped in another tab: what is handed in counts.
            skipped_at=None,
            skip_reason="",
            **changes,
        )

    def skip(self, reason: str, *, now: datetime) -> bool:
        """Pass on it. Return False if it is handed in, or was skipped before."""
        return self._move(Demonstration.objects.wanted(), skip_reason=reason, skipped_at=now)

    def take_up_again(self) -> bool:
        """Go on with what was skipped. Return False if it was not."""
        return self._move(Demonstration.objects.drafts().skipped(), skip_reason="", skipped_at=None)

    def suggest(self, suggestion: Completion) -> bool:
        """Mark it as one whose author was shown ``suggestion``, for good. Return False if it is handed in, or
        another was shown."""
        unmarked = Demonstration.objects.drafts().filter(suggestion=None)
        return self._move(unmarked, suggestion=suggestion)

    def reopen(self) -> bool:
        """Take back what was returned, to revise it. Return False if it is no longer returned."""
        # The revision goes on, so that text left on another device is not taken for the latest.
        return self._move(
            Demonstration.objects.returned(),
            status=self.Status.DRAFT,
            submitted_at=None,
            revision=F("revision") + 1,
        )

    def take_up(self, reviewer: Person, *, now: datetime, lease: timedelta) -> bool:
        """Put it in front of ``reviewer`` alone. Return False if somebody was faster."""
        free = Demonstration.objects.reviewable_by(reviewer, now)
        return self._move(free, reviewer=reviewer, review_expires_at=now + lease)

    def decide(self, reviewer: Person, status: str, *, revision: int) -> bool:
        """Accept or return it. A lease that ran out but went to nobody else still counts."""
        seen = Demonstration.objects.submitted().filter(reviewer=reviewer, revision=revision)
        return self._move(seen, status=status, reviewer=None, review_expires_at=None)

    def _move(self, allowed: DemonstrationQuerySet, **changes: Any) -> bool:
        # One conditional UPDATE is the whole transition: the database decides who wins.
        moved = allowed.filter(pk=self.pk).update(**changes)
        if moved:
            self.refresh_from_db()
        return moved == 1
