from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from annotation.models.campaigns import Campaign
from annotation.models.candidates import CandidateSet
from annotation.models.labelers import Person
from annotation.models.prompts import Prompt


class PracticeItemQuerySet(models.QuerySet["PracticeItem"]):
    def tried_by(self, labeler: Person) -> models.QuerySet[Any]:
        """Each with ``is_tried``, ``is_passed``, and ``is_open``: handed to them until they pass it."""
        mine = PracticeAttempt.objects.filter(item=OuterRef("pk"), labeler=labeler)
        wrote = CandidateSet.authors.through.objects.filter(
            candidateset=OuterRef("candidate_set"), person=labeler
        )
        prompt = "candidate_set__prompt__"
        suits = Q(**{f"{prompt}status": Prompt.Status.READY, f"{prompt}skill__in": ["", *labeler.skills]})
        if labeler.languages:
            suits &= Q(**{f"{prompt}language__in": ["", *labeler.languages]})
        return self.annotate(
            is_tried=Exists(mine),
            is_passed=Exists(mine.filter(is_passed=True)),
            is_open=Q(is_active=True, is_passed=False) & suits & ~Exists(wrote),
        )


class PracticeItem(models.Model):
    """A candidate set to learn on: its answer and the reason for it are told at once. Never counted."""

    candidate_set = models.OneToOneField(
        CandidateSet, models.CASCADE, related_name="practice", verbose_name=_("candidate set")
    )
    # The candidate set knows it through its prompt; kept here too, as in an assignment.
    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="practice", verbose_name=_("campaign")
    )
    place = models.PositiveSmallIntegerField(_("place"), default=1)
    tiers = models.JSONField(_("tiers"), help_text=_("Completion ids, best first; a shared tier is a tie."))
    unacceptable = models.JSONField(_("unacceptable"), default=list, blank=True)
    explanation = models.TextField(_("explanation"), help_text=_("Markdown, shown with the answer."))
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"))

    objects = PracticeItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("practice item")
        verbose_name_plural = _("practice items")

    def __str__(self) -> str:
        return str(self.candidate_set)


class PracticeAttempt(models.Model):
    """What a labeler said of a practice item. Append-only."""

    item = models.ForeignKey(
        PracticeItem, models.CASCADE, related_name="attempts", verbose_name=_("practice item")
    )
    labeler = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("labeler")
    )
    tiers = models.JSONField(_("tiers"))
    unacceptable = models.JSONField(_("unacceptable"), default=list)
    is_passed = models.BooleanField(_("passed"))
    attempted_at = models.DateTimeField(_("attempted"))

    class Meta:
        verbose_name = _("practice attempt")
        verbose_name_plural = _("practice attempts")
        indexes = [models.Index(name="practice_attempt_of_labeler", fields=["labeler", "item"])]

    def __str__(self) -> str:
        return f"{self.labeler}: {self.item}"
