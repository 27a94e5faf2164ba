from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation.models.campaigns import Campaign
from annotation.models.candidates import CandidateSet
from annotation.models.labelers import Person


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def for_labeler(self, labeler: Person) -> AssignmentQuerySet:
        return self.filter(labeler=labeler)

    def open(self) -> AssignmentQuerySet:
        return self.filter(status=Assignment.Status.OPEN)

    def claimed(self) -> AssignmentQuerySet:
        return self.filter(status=Assignment.Status.CLAIMED)

    def submitted(self) -> AssignmentQuerySet:
        return self.filter(status=Assignment.Status.SUBMITTED)

    def overdue(self, now: datetime) -> AssignmentQuerySet:
        return self.claimed().filter(lease_expires_at__lte=now)

    def in_full(self) -> AssignmentQuerySet:
        """With what a screen shows of them."""
        in_one = self.select_related("campaign", "candidate_set__prompt")
        return in_one.prefetch_related("candidate_set__completions")


class Assignment(models.Model):
    """One labeler's turn at one candidate set: OPEN → CLAIMED → SUBMITTED.

    Those that count toward the overlap are created ahead, one per slot. A lease that runs out, or a skip,
    puts a CLAIMED assignment back to OPEN.
    """

    class Purpose(models.TextChoices):
        OVERLAP = "overlap", _("Overlap")
        """One of the ``overlap`` judgements that the campaign asks for. The only kind with a slot."""
        GOLD = "gold", _("Gold")
        """The answer is known; it measures the labeler."""
        ADJUDICATION = "adjudication", _("Adjudication")
        """A reviewer decides what labelers disagree on."""
        SURPLUS = "surplus", _("Surplus")
        """Handed in after the lease had gone to somebody else: kept, and not counted."""
        CHAT = "chat", _("Chat")
        """A chat user chose between two answers. Nobody was handed it, and no labeler sees it."""
        JUDGE = "judge", _("Model as judge")
        """A model ordered the candidates: synthetic, and in no snapshot that does not ask for it."""
        ARENA = "arena", _("Arena")
        """Which of two models answers better: measured, and never learned from."""
        VOIDED = "voided", _("Voided")
        """Taken out of the count by a researcher, who may put it back."""

    class Status(models.TextChoices):
        OPEN = "OPEN", _("Open")
        """Waiting for a labeler."""
        CLAIMED = "CLAIMED", _("Claimed")
        """Held by ``labeler`` until ``lease_expires_at``."""
        SUBMITTED = "SUBMITTED", _("Submitted")
        """A ranking exists. Final."""

    candidate_set = models.ForeignKey(
        CandidateSet, models.CASCADE, related_name="assignments", verbose_name=_("candidate set")
    )
    # The candidate set knows its campaign through its prompt; kept here too so that finding the next open
    # slot reads one index.
    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="assignments", verbose_name=_("campaign")
    )
    # What the outside calls it: the row's number would tell gold, which is made later, from the others.
    key = models.UUIDField(_("key"), default=uuid.uuid4, unique=True, editable=False)
    purpose = models.CharField(_("purpose"), max_length=12, choices=Purpose.choices, default=Purpose.OVERLAP)
    slot = models.PositiveSmallIntegerField(_("slot"), null=True, blank=True)
    # The prompt's, for the same reason as the campaign.
    language = models.CharField(_("language"), max_length=20, blank=True)
    skill = models.CharField(_("skill"), max_length=40, blank=True)
    priority = models.SmallIntegerField(_("priority"), default=0, help_text=_("Higher is handed out first."))
    status = models.CharField(_("status"), max_length=9, choices=Status.choices, default=Status.OPEN)
    labeler = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="assignments",
        verbose_name=_("labeler"),
    )
    lease_expires_at = models.DateTimeField(_("lease expires"), null=True, blank=True)
    shown_order = models.JSONField(
        _("shown order"), default=list, blank=True, help_text=_("Completion ids as the labeler saw them.")
    )

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        constraints = [
            models.UniqueConstraint(name="assignment_slot_once", fields=["candidate_set", "slot"]),
            models.UniqueConstraint(
                name="assignment_once_per_labeler_and_set", fields=["candidate_set", "labeler"]
            ),
            models.CheckConstraint(
                name="assignment_slot_iff_overlap",
                condition=Q(purpose="overlap", slot__isnull=False)
                | (~Q(purpose="overlap") & Q(slot__isnull=True)),
            ),
            models.CheckConstraint(
                name="assignment_leased_only_while_claimed",
                condition=Q(status="CLAIMED", lease_expires_at__isnull=False)
                | (~Q(status="CLAIMED") & Q(lease_expires_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="assignment_held_unless_open",
                condition=Q(status="OPEN", labeler__isnull=True)
                | (~Q(status="OPEN") & Q(labeler__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(
                name="assignment_next_open",
                fields=["campaign", "purpose", "-priority", "id"],
                condition=Q(status="OPEN"),
            ),
            # For labelers who are handed only some languages or skills.
            models.Index(
                name="assignment_next_open_matching",
                fields=["campaign", "purpose", "language", "skill", "-priority", "id"],
                condition=Q(status="OPEN"),
            ),
            models.Index(
                name="assignment_held",
                fields=["labeler", "campaign"],
                condition=Q(status="CLAIMED"),
            ),
            # How somebody does on gold, among the thousands of turns that they had.
            models.Index(
                name="assignment_gold_of_labeler",
                fields=["labeler", "campaign"],
                condition=Q(purpose="gold"),
            ),
            models.Index(
                name="assignment_overdue",
                fields=["lease_expires_at"],
                condition=Q(status="CLAIMED"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.candidate_set} / {self.slot or self.get_purpose_display()}"

    def claim(self, labeler: Person, *, now: datetime, lease: timedelta, shown_order: list[int]) -> bool:
        """Lease this turn to ``labeler``. Return False if somebody was faster."""
        try:
            with transaction.atomic():
                return self._move(
                    Assignment.objects.open(),
                    status=self.Status.CLAIMED,
                    labeler=labeler,
                    lease_expires_at=now + lease,
                    shown_order=shown_order,
                )
        except IntegrityError:
            # The same labeler, in another tab, just took another slot of this candidate set.
            return False

    def extend(self, labeler: Person, *, now: datetime, lease: timedelta) -> bool:
        """Renew ``labeler``'s lease. Return False if it is no longer theirs."""
        mine = Assignment.objects.claimed().for_labeler(labeler)
        return self._move(mine, lease_expires_at=now + lease)

    def submit(self, labeler: Person) -> bool:
        """Finish the turn. A lease that ran out but went to nobody else still counts."""
        mine = Assignment.objects.claimed().for_labeler(labeler)
        return self._move(mine, status=self.Status.SUBMITTED, lease_expires_at=None)

    def submit_late(self, labeler: Person, *, shown_order: list[int]) -> bool:
        """Finish a turn that was given back. Return False if somebody else has taken it."""
        return self._move(
            Assignment.objects.open(),
            status=self.Status.SUBMITTED,
            labeler=labeler,
            shown_order=shown_order,
        )

    def release(self, labeler: Person) -> bool:
        """Give the turn back for somebody else."""
        mine = Assignment.objects.claimed().for_labeler(labeler)
        return self._move(mine, **self.RETURNED)

    # What a turn looks like when nobody holds it.
    RETURNED: dict[str, Any] = {
        "status": "OPEN",
        "labeler": None,
        "lease_expires_at": None,
        "shown_order": [],
    }

    def _move(self, allowed: AssignmentQuerySet, **changes: Any) -> bool:
        # One conditional UPDATE is the whole transition: the database decides who wins.
        moved = allowed.filter(pk=self.pk).update(**changes)
        if moved:
            for name, value in changes.items():
                setattr(self, name, value)
        return moved == 1


class LapsedLease(models.Model):
    """A lease that ran out before its labeler was done: what they did may still be handed in."""

    assignment = models.ForeignKey(
        Assignment, models.CASCADE, related_name="lapsed_leases", verbose_name=_("assignment")
    )
    labeler = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="lapsed_leases", verbose_name=_("labeler")
    )
    shown_order = models.JSONField(_("shown order"))
    lapsed_at = models.DateTimeField(_("lapsed"))

    class Meta:
        verbose_name = _("lapsed lease")
        verbose_name_plural = _("lapsed leases")
        constraints = [
            models.UniqueConstraint(
                name="lapsed_lease_once_per_assignment", fields=["assignment", "labeler"]
            ),
        ]

    def __str__(self) -> str:
        return str(self.assignment)


class Skip(models.Model):
    """A labeler passed on a candidate set: it is not offered to them again."""

    candidate_set = models.ForeignKey(
        CandidateSet, models.CASCADE, related_name="skips", verbose_name=_("candidate set")
    )
    labeler = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="skips", verbose_name=_("labeler")
    )
    reason = models.CharField(_("reason"), max_length=500)
    skipped_at = models.DateTimeField(_("skipped"))

    class Meta:
        verbose_name = _("skip")
        verbose_name_plural = _("skips")
        constraints = [
            models.UniqueConstraint(
                name="skip_once_per_labeler_and_set", fields=["candidate_set", "labeler"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.candidate_set}: {self.reason}"


class Bookmark(models.Model):
    """How far a labeler's search for open slots has got: what lies before it was not for them.

    Only those have one who passed over many slots, such as who ranked thousands of candidate sets that are
    still open for others. It is worth nothing but time, and may be deleted whenever one likes.
    """

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="+", verbose_name=_("campaign"))
    labeler = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("labeler")
    )
    purpose = models.CharField(_("purpose"), max_length=12, choices=Assignment.Purpose.choices)
    priority = models.SmallIntegerField(_("priority"))
    assignment_id = models.BigIntegerField(_("assignment"))
    started_at = models.DateTimeField(_("started"))

    class Meta:
        verbose_name = _("bookmark")
        verbose_name_plural = _("bookmarks")
        constraints = [
            models.UniqueConstraint(
                name="bookmark_once_per_labeler", fields=["labeler", "campaign", "purpose"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.labeler}: {self.campaign}"
