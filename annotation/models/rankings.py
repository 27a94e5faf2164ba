from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotation.models.assignments import Assignment
from annotation.models.campaigns import Guideline
from annotation.models.consents import ConsentText


class RankingQuerySet(models.QuerySet["Ranking"]):
    def current(self) -> RankingQuerySet:
        """The latest revision of each: corrections supersede what they correct."""
        later = Ranking.objects.filter(
            assignment=models.OuterRef("assignment"), revision__gt=models.OuterRef("revision")
        )
        return self.filter(~models.Exists(later))

    def counted(self) -> RankingQuerySet:
        """Those that say what people think: no known answers, nothing beyond what was asked, and no votes
        between models."""
        purposes = Assignment.Purpose
        other = [purposes.GOLD, purposes.SURPLUS, purposes.CHAT, purposes.ARENA, purposes.VOIDED]
        other.append(purposes.JUDGE)
        return self.exclude(assignment__purpose__in=other)

    def of_labelers(self) -> RankingQuerySet:
        """Work of theirs: not what somebody chose in a chat, and not what a model judged."""
        others = [Assignment.Purpose.CHAT, Assignment.Purpose.JUDGE]
        return self.exclude(assignment__purpose__in=others)

    def of_people(self) -> RankingQuerySet:
        return self.exclude(assignment__purpose=Assignment.Purpose.JUDGE)


class Ranking(models.Model):
    """A labeler's order of the candidates: an ordered partition. Append-only.

    ``tiers`` are lists of completion ids, best first; a shared tier is a tie. ``unacceptable`` ids stand
    below every tier and are not compared with each other. A judgement that could not be made has
    ``cannot_judge``, the reason, and nothing else.
    """

    assignment = models.ForeignKey(
        Assignment, models.PROTECT, related_name="rankings", verbose_name=_("assignment")
    )
    labeler = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="rankings", verbose_name=_("labeler")
    )
    guideline = models.ForeignKey(
        Guideline, models.PROTECT, null=True, related_name="rankings", verbose_name=_("guideline")
    )
    consent = models.ForeignKey(
        ConsentText,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="rankings",
        verbose_name=_("consent"),
        help_text=_("The text that its labeler had agreed to."),
    )
    revision = models.PositiveSmallIntegerField(_("revision"), default=1)
    tiers = models.JSONField(_("tiers"))
    unacceptable = models.JSONField(_("unacceptable"), default=list)
    cannot_judge = models.CharField(_("cannot judge"), max_length=500, blank=True)
    strength = models.PositiveSmallIntegerField(
        _("strength"),
        null=True,
        blank=True,
        help_text=_("How much better the best is than the next, from 1 (slightly) to 3 (much)."),
    )
    ratings = models.JSONField(
        _("ratings"),
        default=dict,
        blank=True,
        help_text=_("By completion id, then by axis: 1 (bad) to 7 (good)."),
    )
    flags = models.JSONField(
        _("flags"), default=dict, blank=True, help_text=_("By completion id: what is wrong with it.")
    )
    spans = models.JSONField(
        _("passages"),
        default=dict,
        blank=True,
        help_text=_(
            "By completion id: the passages that a flag is about, by their first character and the one after "
            "their last, counted in code points of the stored text."
        ),
    )
    rationale = models.TextField(_("rationale"), blank=True)
    edited = models.JSONField(
        _("edited"),
        null=True,
        blank=True,
        help_text=_("The best response as the labeler would have it: its id and the text."),
    )
    shown_order = models.JSONField(_("shown order"))
    seconds_spent = models.FloatField(_("seconds spent"))
    idempotency_key = models.UUIDField(_("idempotency key"))
    submitted_at = models.DateTimeField(_("submitted"), db_index=True)

    objects = RankingQuerySet.as_manager()

    class Meta:
        verbose_name = _("ranking")
        verbose_name_plural = _("rankings")
        # A labeler's day and their latest ones, among the millions of all.
        indexes = [
            models.Index(name="ranking_latest_of_labeler", fields=["labeler", "-submitted_at"]),
            models.Index(name="ranking_by_time", fields=["submitted_at"]),
        ]
        constraints = [
            models.UniqueConstraint(name="ranking_revision_once", fields=["assignment", "revision"]),
            models.UniqueConstraint(
                name="ranking_idempotency_key_once", fields=["labeler", "idempotency_key"]
            ),
            models.CheckConstraint(name="ranking_seconds_not_negative", condition=Q(seconds_spent__gte=0)),
            models.CheckConstraint(
                name="ranking_strength_1_to_3", condition=Q(strength__isnull=True) | Q(strength__range=(1, 3))
            ),
            models.CheckConstraint(
                name="ranking_orders_unless_it_cannot_judge",
                condition=Q(cannot_judge="") | Q(tiers=[], unacceptable=[]),
            ),
        ]

    def __str__(self) -> str:
        if self.cannot_judge:
            return gettext("cannot judge")
        order = " > ".join(" = ".join(map(str, tier)) for tier in self.tiers)
        return f"{order} | ✗ {', '.join(map(str, self.unacceptable))}" if self.unacceptable else order


class RankingDraft(models.Model):
    """A ranking that is not handed in yet, as the screen keeps it: to go on with on another device.

    Nobody but its labeler sees it, and it goes with the assignment's ranking.
    """

    assignment = models.ForeignKey(
        Assignment, models.CASCADE, related_name="drafts", verbose_name=_("assignment")
    )
    labeler = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("labeler")
    )
    content = models.JSONField(_("content"))
    revision = models.PositiveIntegerField(
        _("revision"), default=1, help_text=_("Counts saves, so that two tabs cannot overwrite each other.")
    )
    saved_at = models.DateTimeField(_("saved"))

    class Meta:
        verbose_name = _("ranking draft")
        verbose_name_plural = _("ranking drafts")
        constraints = [
            models.UniqueConstraint(name="ranking_draft_once", fields=["assignment", "labeler"]),
        ]

    def __str__(self) -> str:
        return f"{self.assignment} / {self.labeler}"
