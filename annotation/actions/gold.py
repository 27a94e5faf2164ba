"""Candidate sets with a known answer, handed out among the others to measure labelers."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from annotation.actions.candidates import shuffled
from annotation.comparisons import implied_comparisons
from annotation.errors import CandidatesInUse, IncompleteRanking, NoComparison
from annotation.messages import check_text
from annotation.models import (
    Assignment,
    Campaign,
    CandidateSet,
    Demonstration,
    Gold,
    LapsedLease,
    Person,
    PracticeItem,
    Skip,
)


@transaction.atomic
def mark_gold(
    *,
    candidate_set: CandidateSet,
    tiers: Sequence[Sequence[int]],
    unacceptable: Sequence[int] = (),
    note: str = "",
    marked_by: Person | None,
    now: datetime,
) -> Gold:
    """Make this the known answer of the set, in place of an earlier one.

    Nobody else is asked for an ordinary judgement of it: its open slots become gold ones.

    :raises IncompleteRanking: a candidate is missing, named twice, or no candidate here.
    :raises NoComparison: the answer puts no candidate before another.
    :raises CandidatesInUse: it is a practice item, whose answer labelers are told.
    """
    tiers = checked_answer(candidate_set, tiers, unacceptable)
    # Whoever makes it a practice item at this moment waits here, or has done it.
    CandidateSet.objects.select_for_update().get(pk=candidate_set.pk)
    if PracticeItem.objects.filter(candidate_set=candidate_set).exists():
        raise CandidatesInUse(_("This is a practice item: labelers have been told its answer."))
    campaign_id = candidate_set.prompt.campaign_id
    gold, _is_new = Gold.objects.update_or_create(
        candidate_set=candidate_set,
        defaults={
            "campaign_id": campaign_id,
            "tiers": tiers,
            "unacceptable": list(unacceptable),
            "note": check_text(note)[:500],
            "is_active": True,
            "created_by": marked_by,
            "created_at": now,
        },
    )
    ordinary = candidate_set.assignments.open().filter(purpose=Assignment.Purpose.OVERLAP)
    ordinary.update(purpose=Assignment.Purpose.GOLD, slot=None)
    return gold


def checked_answer(
    candidate_set: CandidateSet, tiers: Sequence[Sequence[int]], unacceptable: Sequence[int]
) -> list[list[int]]:
    """The tiers of a known answer as they are stored.

    :raises IncompleteRanking: a candidate is missing, named twice, or no candidate here.
    :raises NoComparison: the answer puts no candidate before another.
    """
    filled = [list(tier) for tier in tiers if tier]
    candidates = sorted(candidate_set.completions.values_list("pk", flat=True))
    if sorted([*(pk for tier in filled for pk in tier), *unacceptable]) != candidates:
        raise IncompleteRanking(_("Name every candidate exactly once."))
    if not implied_comparisons(filled, unacceptable):
        raise NoComparison(_("An answer that puts no candidate before another measures nobody."))
    return filled


def claim_gold(
    *, campaign: Campaign, labeler: Person, now: datetime, lease: timedelta, rng: random.Random
) -> Assignment | None:
    """In about ``gold_percent`` of calls, a gold set that the labeler never met, leased to them.

    Ask only where there is ordinary work to hand out instead: whoever got nothing but gold would know it.
    """
    if rng.random() * 100 >= campaign.gold_percent:
        return None
    unmet = list(unmet_gold(campaign, labeler).order_by("pk").values_list("candidate_set", flat=True))
    if not unmet:
        return None
    candidate_set = CandidateSet.objects.select_related("prompt").get(pk=rng.choice(unmet))
    assignment = _open_gold_assignment(candidate_set)
    shown_order = shuffled(candidate_set, rng)
    claimed = assignment.claim(labeler, now=now, lease=lease, shown_order=shown_order)
    return assignment if claimed else None


def unmet_gold(campaign: Campaign, labeler: Person) -> QuerySet[Gold]:
    """Active gold that suits ``labeler`` and that they neither wrote, had, let lapse nor skipped, and were
    shown none of."""
    if not campaign.gold_percent:
        return Gold.objects.none()
    had = Assignment.objects.for_labeler(labeler).values("candidate_set")
    lapsed = LapsedLease.objects.filter(labeler=labeler).values("assignment__candidate_set")
    skipped = Skip.objects.filter(labeler=labeler).values("candidate_set")
    shown = Demonstration.objects.for_labeler(labeler).with_suggestion().values("prompt")
    unmet = (
        Gold.objects.filter(campaign=campaign, is_active=True)
        .exclude(candidate_set__in=had)
        .exclude(candidate_set__in=lapsed)
        .exclude(candidate_set__in=skipped)
        .exclude(candidate_set__authors=labeler)
        .exclude(candidate_set__prompt__in=shown)
    )
    if labeler.languages:
        unmet = unmet.filter(candidate_set__prompt__language__in=["", *labeler.languages])
    return unmet.filter(candidate_set__prompt__skill__in=["", *labeler.skills])


def gold_to_come(campaign: Campaign, labeler: Person, *, ordinary: int) -> int:
    """How much gold to count among what waits, beside so much ordinary work; below 0 if more came than due.

    It falls by one with each gold set that is handed out or passed on, and with nothing else that the labeler
    does: so what waits gets smaller by one with every piece of work, and nobody can tell gold by it.
    """
    if not (campaign.gold_percent and ordinary):
        return 0
    had = Assignment.objects.for_labeler(labeler).filter(campaign=campaign)
    skipped = Skip.objects.filter(labeler=labeler, candidate_set__prompt__campaign=campaign)
    of_gold = Q(candidate_set__gold__isnull=False)
    met = had.filter(purpose=Assignment.Purpose.GOLD).count() + skipped.filter(of_gold).count()
    others = had.filter(purpose=Assignment.Purpose.OVERLAP).count() + skipped.exclude(of_gold).count()
    due = round((ordinary + others) * campaign.gold_percent / (100 - campaign.gold_percent))
    return min(unmet_gold(campaign, labeler).count(), due - met)


def _open_gold_assignment(candidate_set: CandidateSet) -> Assignment:
    """One that somebody gave back, else a new one."""
    gold = candidate_set.assignments.filter(purpose=Assignment.Purpose.GOLD)
    if spare := gold.open().first():
        return spare
    prompt = candidate_set.prompt
    return Assignment.objects.create(
        candidate_set=candidate_set,
        campaign_id=prompt.campaign_id,
        language=prompt.language,
        skill=prompt.skill,
        purpose=Assignment.Purpose.GOLD,
    )
