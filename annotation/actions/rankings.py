from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max, Min, QuerySet
from django.utils.translation import gettext as _

from annotation.actions.assignments import lease_lost
from annotation.actions.campaigns import current_guideline
from annotation.actions.consents import agreed_text
from annotation.actions.judgements import Judgement, check_judgement, judgement_of
from annotation.actions.pauses import look_at_labeler
from annotation.actions.quality import look_again
from annotation.actions.ranking_drafts import drop_ranking_draft
from annotation.errors import (
    AlreadySubmitted,
    CampaignPaused,
    CorrectionWindowClosed,
    IdempotencyConflict,
    LeaseLost,
)
from annotation.models import Assignment, Campaign, LapsedLease, Person, Ranking


def submit_ranking(
    *,
    assignment: Assignment,
    labeler: Person,
    seconds_spent: float,
    idempotency_key: UUID,
    now: datetime,
    **judged: Any,
) -> tuple[Ranking, bool]:
    """Store a labeler's judgement of the candidates. Returns it, and whether it is new.

    The same key with the same judgement gives the ranking that is already stored. A labeler whose lease ran
    out loses nothing: theirs takes the slot if it is still open, and is kept as surplus if it is not.

    :raises BadInput: the judgement cannot be stored; its code says why.
    :raises LeaseLost: the assignment is not, and was not, this labeler's to submit.
    :raises ConsentNeeded: this labeler withdrew their consent.
    :raises AlreadySubmitted: this labeler already submitted it with another key.
    :raises IdempotencyConflict: the key came before with another judgement.
    """
    judgement = judgement_of(**judged)
    if known := _known(labeler, idempotency_key):
        # It is sent again because nobody answered: we may have died before we looked.
        look_again(candidate_set=assignment.candidate_set, now=now)
        return _same(known, assignment, judgement), False
    check_judgement(assignment, judgement)
    for _attempt in range(2):
        try:
            with transaction.atomic():
                taken = assignment if assignment.submit(labeler) else _late(assignment, labeler)
                ranking = taken and _store(taken, labeler, 1, judgement, seconds_spent, idempotency_key, now)
                if ranking:
                    # Of the assignment that they worked on, wherever a late one is kept.
                    drop_ranking_draft(assignment=assignment, labeler=labeler)
        except IntegrityError:
            # The same labeler was quicker elsewhere: with this very submission, or with another slot of
            # these candidates, which the second attempt finds.
            ranking = None
        if ranking:
            # Not in the transaction: of two last submits at once, neither would see the other.
            look_again(candidate_set=assignment.candidate_set, now=now)
            look_at_labeler(campaign=assignment.campaign, labeler=labeler, now=now)
            return ranking, True
        if known := _known(labeler, idempotency_key):
            return _same(known, assignment, judgement), False
    raise _refusal(assignment, labeler)


def correct_ranking(
    *,
    assignment: Assignment,
    labeler: Person,
    seconds_spent: float,
    idempotency_key: UUID,
    now: datetime,
    **judged: Any,
) -> tuple[Ranking, bool]:
    """Supersede what the labeler said of these candidates. Returns the new revision, and whether it is new.

    :raises BadInput: the judgement cannot be stored; its code says why.
    :raises LeaseLost: this labeler has submitted nothing here.
    :raises ConsentNeeded: this labeler withdrew their consent.
    :raises CampaignPaused: the campaign takes no corrections.
    :raises CorrectionWindowClosed: it was handed in too long ago.
    :raises IdempotencyConflict: the key came before with another judgement.
    """
    judgement = judgement_of(**judged)
    if known := _known(labeler, idempotency_key):
        return _same(known, assignment, judgement), False
    if assignment.campaign.status != Campaign.Status.ACTIVE:
        raise CampaignPaused(_("This campaign is paused; what was submitted stays as it is."))
    check_judgement(assignment, judgement)
    with transaction.atomic():
        # Corrections of one ranking wait for each other here: each supersedes what it has seen.
        mine = Assignment.objects.submitted().for_labeler(labeler).in_full()
        ranked = mine.filter(candidate_set=assignment.candidate_set)
        corrected = ranked.select_for_update(of=("self",)).first()
        if corrected is None:
            raise LeaseLost(_("There is no ranking of yours here that you could correct."))
        if known := _known(labeler, idempotency_key):
            return _same(known, assignment, judgement), False
        before = corrected.rankings.aggregate(revision=Max("revision"), first=Min("submitted_at"))
        _require_open_window(assignment.campaign, before["first"], now)
        revision = 1 + before["revision"]
        ranking = _store(corrected, labeler, revision, judgement, seconds_spent, idempotency_key, now)
    look_again(candidate_set=assignment.candidate_set, now=now)
    return ranking, True


def own_rankings(*, labeler: Person, campaign: Campaign, count: int) -> QuerySet[Ranking]:
    """What the labeler said last in the campaign, latest first, each as it now stands."""
    mine = Ranking.objects.current().of_labelers().filter(labeler=labeler, assignment__campaign=campaign)
    return mine.select_related("assignment__campaign", "assignment__candidate_set__prompt").order_by(
        "-submitted_at", "-pk"
    )[:count]


def _late(assignment: Assignment, labeler: Person) -> Assignment | None:
    """What the judgement of a labeler whose lease lapsed counts for; None where none of theirs did."""
    lapsed = LapsedLease.objects.filter(assignment=assignment, labeler=labeler).first()
    if lapsed is None:
        return None
    other = Assignment.objects.for_labeler(labeler).filter(candidate_set=assignment.candidate_set).first()
    if other is not None:
        # By now they have another slot of the same candidates, and may be done with it.
        return other if other.submit(labeler) else None
    if assignment.submit_late(labeler, shown_order=lapsed.shown_order):
        return assignment
    return Assignment.objects.create(
        candidate_set=assignment.candidate_set,
        campaign=assignment.campaign,
        purpose=Assignment.Purpose.SURPLUS,
        language=assignment.language,
        skill=assignment.skill,
        status=Assignment.Status.SUBMITTED,
        labeler=labeler,
        shown_order=lapsed.shown_order,
    )


def _store(
    assignment: Assignment,
    labeler: Person,
    revision: int,
    judgement: Judgement,
    seconds_spent: float,
    idempotency_key: UUID,
    now: datetime,
) -> Ranking:
    return Ranking.objects.create(
        assignment=assignment,
        labeler=labeler,
        guideline=current_guideline(assignment.campaign),
        consent=agreed_text(assignment.campaign, labeler),
        revision=revision,
        shown_order=assignment.shown_order,
        seconds_spent=seconds_spent,
        idempotency_key=idempotency_key,
        submitted_at=now,
        **judgement,
    )


def _require_open_window(campaign: Campaign, first_submitted: datetime, now: datetime) -> None:
    # From when it was first handed in: else each correction would open the window again.
    if now >= first_submitted + timedelta(minutes=campaign.correction_minutes):
        raise CorrectionWindowClosed(
            _("The time to correct this is over; what you submitted stays as it is.")
        )


def _known(labeler: Person, idempotency_key: UUID) -> Ranking | None:
    stored = Ranking.objects.filter(labeler=labeler, idempotency_key=idempotency_key)
    return stored.select_related("assignment").first()


def _same(known: Ranking, assignment: Assignment, judgement: Judgement) -> Ranking:
    stored = {name: getattr(known, name) for name in judgement}
    # A late one may have been kept in another assignment than the one it was sent to.
    if known.assignment.candidate_set_id != assignment.candidate_set_id or stored != judgement:
        raise IdempotencyConflict(_("This submission was already stored with another ranking."))
    return known


def _refusal(assignment: Assignment, labeler: Person) -> Exception:
    mine = Ranking.objects.filter(labeler=labeler, assignment__candidate_set=assignment.candidate_set)
    if mine.exists():
        return AlreadySubmitted(_("You already submitted this one."))
    return lease_lost()
