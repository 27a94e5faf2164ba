"""Candidate sets to learn on before the first real one: the answer and its reason are told at once.

A practice item has no assignment and no ranking, so nothing that hands out, counts, measures, freezes or
exports these ever meets it. It guards the rankings of a campaign; demonstrations are written without it.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Case, Count, Q, Value, When
from django.utils.translation import gettext as _

from annotation.actions.candidates import shuffled
from annotation.actions.cohorts import require_membership
from annotation.actions.consents import require_consent
from annotation.actions.gold import checked_answer
from annotation.actions.judgements import check_partition, judgement_of
from annotation.errors import CandidatesInUse, PracticeNeeded, ReasonMissing
from annotation.messages import check_text
from annotation.models import (
    Assignment,
    Campaign,
    CandidateSet,
    Gold,
    LapsedLease,
    Person,
    PracticeAttempt,
    PracticeItem,
)
from annotation.passing import is_passed


@dataclass(frozen=True)
class Progress:
    """How far a labeler is: how many of those that they need they passed, and how many are left."""

    passed: int
    left: int


@dataclass(frozen=True)
class Shown:
    """An item as a labeler sees it; its answer is told by no page before they have tried."""

    item: PracticeItem
    shown_order: list[int]
    attempts: int


@transaction.atomic
def mark_practice(
    *,
    candidate_set: CandidateSet,
    tiers: Sequence[Sequence[int]],
    unacceptable: Sequence[int] = (),
    explanation: str,
    place: int = 1,
    now: datetime,
) -> PracticeItem:
    """Make the set a practice item with this answer, in place of an earlier one. It leaves the work for good.

    :raises IncompleteRanking: a candidate is missing, named twice, or no candidate here.
    :raises NoComparison: the answer puts no candidate before another.
    :raises ReasonMissing: nothing explains the answer.
    :raises CandidatesInUse: it is gold, or somebody holds or held it.
    """
    tiers = checked_answer(candidate_set, tiers, unacceptable)
    if not check_text(explanation).strip():
        raise ReasonMissing(_("Explain the answer: it is what labelers learn from."))
    _take_out_of_work(candidate_set)
    answer = {
        "tiers": tiers,
        "unacceptable": list(unacceptable),
        "explanation": explanation,
        "place": place,
        "is_active": True,
    }
    item, _is_new = PracticeItem.objects.update_or_create(
        candidate_set=candidate_set,
        defaults=answer,
        create_defaults={**answer, "campaign_id": candidate_set.prompt.campaign_id, "created_at": now},
    )
    return item


def practice_progress(campaign: Campaign, labeler: Person) -> Progress:
    """One query, and none where the campaign asks for no practice.

    Nobody is asked for more than there are items for them, and a program that follows a rule learns nothing.
    """
    if not campaign.practice_to_pass or labeler.is_simulated:
        return Progress(passed=0, left=0)
    counts = campaign.practice.tried_by(labeler).aggregate(
        passed=Count("pk", filter=Q(is_passed=True)), open=Count("pk", filter=Q(is_open=True))
    )
    passed = min(counts["passed"], campaign.practice_to_pass)
    return Progress(passed=passed, left=min(campaign.practice_to_pass - passed, counts["open"]))


def practice_left(campaign: Campaign, labeler: Person) -> int:
    """How many practice items to pass before the first real ranking."""
    return practice_progress(campaign, labeler).left


def require_practice(campaign: Campaign, labeler: Person) -> None:
    """:raises PracticeNeeded: the labeler has practice items of the campaign to pass first."""
    if practice_left(campaign, labeler):
        raise PracticeNeeded(_("Before you rank here, try the practice items. Nothing you do there counts."))


def next_practice(*, campaign: Campaign, labeler: Person, after: int | None = None) -> Shown | None:
    """The next item that they have not passed: by place, those that they failed after all others.

    ``after`` is the one that they just left; it comes last. Whoever needs no practice may try all the same.

    :raises NotAMember: the campaign is for cohorts that they are in none of.
    :raises ConsentNeeded: the campaign has a text that they have not agreed to.
    """
    require_membership(campaign, labeler)
    require_consent(campaign, labeler)
    just_left = Case(When(pk=after, then=Value(1)), default=Value(0))
    waiting = campaign.practice.tried_by(labeler).filter(is_open=True)
    following = waiting.select_related("campaign", "candidate_set__prompt").prefetch_related(
        "candidate_set__completions"
    )
    item = following.order_by(just_left, "is_tried", "place", "pk").first()
    return _shown(item, labeler) if item else None


def has_more_practice(campaign: Campaign, labeler: Person) -> bool:
    """Whether there is an item that they have not passed."""
    return campaign.practice.tried_by(labeler).filter(is_open=True).exists()


def attempt_practice(
    *,
    item: PracticeItem,
    labeler: Person,
    tiers: Sequence[Sequence[int]],
    unacceptable: Sequence[int] = (),
    cannot_judge: str = "",
    now: datetime,
) -> PracticeAttempt:
    """Keep what the labeler says of the item, and whether that passes; "cannot judge" does not.

    :raises BadInput: the order cannot be stored; its code says why.
    :raises NotAMember: the campaign is for cohorts that they are in none of.
    :raises ConsentNeeded: the campaign has a text that they have not agreed to.
    """
    require_membership(item.campaign, labeler)
    require_consent(item.campaign, labeler)
    judgement = judgement_of(tiers=tiers, unacceptable=unacceptable, cannot_judge=cannot_judge)
    check_partition(judgement, set(item.candidate_set.completions.values_list("pk", flat=True)))
    given = judgement["tiers"], judgement["unacceptable"]
    return PracticeAttempt.objects.create(
        item=item,
        labeler=labeler,
        tiers=given[0],
        unacceptable=given[1],
        is_passed=is_passed((item.tiers, item.unacceptable), given),
        attempted_at=now,
    )


def _shown(item: PracticeItem, labeler: Person) -> Shown:
    """In an order of this attempt's own: the same after a reload, another one on the next try."""
    attempts = PracticeAttempt.objects.filter(item=item, labeler=labeler).count()
    rng = random.Random(f"{item.pk}/{labeler.pk}/{attempts}")
    return Shown(item, shuffled(item.candidate_set, rng), attempts)


def _take_out_of_work(candidate_set: CandidateSet) -> None:
    """:raises CandidatesInUse: somebody would lose what they did, or has met it where it counted."""
    CandidateSet.objects.select_for_update().get(pk=candidate_set.pk)
    if Gold.objects.filter(candidate_set=candidate_set).exists():
        raise CandidatesInUse(_("This is gold: labelers must not be told its answer."))
    # Whoever claims one at this moment has its row; then it is no longer open when we get it.
    turns = list(candidate_set.assignments.select_for_update(of=("self",)).order_by("pk"))
    lapsed = LapsedLease.objects.filter(assignment__in=turns)
    if any(turn.status != Assignment.Status.OPEN for turn in turns) or lapsed.exists():
        raise CandidatesInUse(
            _("Somebody has ranked it or had it in hand. Take a set that is new to everybody.")
        )
    candidate_set.assignments.all().delete()
