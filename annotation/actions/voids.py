"""Taking somebody's work out of the count from a date on, and putting it back.

What is voided stays where it is and as it was said. A turn leaves the overlap, so that nothing that counts,
measures or freezes the overlap meets it; a demonstration is marked. What was frozen before keeps its rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from annotation.actions.quality import look_again
from annotation.doorbell import ring
from annotation.errors import NotAllowed, NothingToVoid, ReasonMissing
from annotation.messages import check_text
from annotation.models import (
    Assignment,
    Campaign,
    Consensus,
    Demonstration,
    Person,
    Ranking,
    Void,
    VoidedTurn,
)
from annotation.models.assignments import AssignmentQuerySet
from annotation.models.demonstrations import DemonstrationQuerySet

ASKED = [Assignment.Purpose.OVERLAP, Assignment.Purpose.ADJUDICATION]
CHOSEN = [Assignment.Purpose.CHAT, Assignment.Purpose.ARENA, Assignment.Purpose.JUDGE]
"""Nobody else is asked for these: a chat is somebody's own, an arena may be over, and a judge is a model."""
COUNTED = [*ASKED, *CHOSEN]
BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one person did in a campaign in some time, as far as it counts. Practice and gold measure them,
    and stay."""

    campaign: Campaign
    rankings: int = 0
    adjudications: int = 0
    choices: int = 0
    """Between two answers, in a chat or an arena."""
    demonstrations: int = 0


@dataclass(frozen=True, kw_only=True)
class Restored:
    rankings: int
    surplus: int
    """Somebody else has ranked, or is ranking, the same in their place: kept, and not counted."""
    demonstrations: int


def work_of(
    person: Person, *, since: datetime, until: datetime, campaign: Campaign | None = None
) -> list[Work]:
    """What voiding would take out of the count, by campaign."""
    turns = _turns(person, since, until, campaign).values_list("campaign", "purpose")
    counts = {(pk, purpose): count for pk, purpose, count in turns.annotate(Count("pk")).order_by()}
    written = _demonstrations(person, since, until, campaign).values_list("prompt__campaign")
    counts |= {(pk, "written"): count for pk, count in written.annotate(Count("pk")).order_by()}
    return [
        Work(
            campaign=one,
            rankings=counts.get((one.pk, Assignment.Purpose.OVERLAP), 0),
            adjudications=counts.get((one.pk, Assignment.Purpose.ADJUDICATION), 0),
            choices=sum(counts.get((one.pk, purpose), 0) for purpose in CHOSEN),
            demonstrations=counts.get((one.pk, "written"), 0),
        )
        for one in Campaign.objects.filter(pk__in={pk for pk, _what in counts}).order_by("pk")
    ]


@transaction.atomic
def void_work(
    *,
    person: Person,
    since: datetime,
    until: datetime,
    campaign: Campaign | None = None,
    reason: str,
    reopens: bool,
    by: Person,
    now: datetime,
) -> Void:
    """Leave out of consensus, agreement and later snapshots what ``person`` handed in then.

    Where they corrected a ranking, its latest revision says when; what it had superseded does not come back.

    :raises NotAllowed: only researchers do.
    :raises ReasonMissing: nobody would know later why.
    :raises NothingToVoid: they did nothing then that counts.
    """
    if not by.is_researcher:
        raise NotAllowed(_("Only researchers void work."))
    if not check_text(reason).strip():
        raise ReasonMissing(_("Say why."))
    void = Void.objects.create(
        labeler=person,
        campaign=campaign,
        since=since,
        until=until,
        reason=reason.strip()[:500],
        reopens=reopens,
        created_by=by,
        created_at=now,
    )
    turns = _void_turns(void, _turns(person, since, until, campaign))
    written = _demonstrations(person, since, until, campaign)
    demonstrations = written.update(void=void, reviewer=None, review_expires_at=None)
    if not turns and not demonstrations:
        raise NothingToVoid(_("They handed in nothing then that counts."))
    ring("annotation.tasks.settle_voids")
    return void


@transaction.atomic
def lift_void(*, void: Void, by: Person, now: datetime) -> Restored | None:
    """Let it count again. None where somebody was faster.

    :raises NotAllowed: only researchers do.
    """
    if not by.is_researcher:
        raise NotAllowed(_("Only researchers void work."))
    if not Void.objects.filter(pk=void.pk, lifted_at=None).update(lifted_at=now, lifted_by=by):
        return None
    restored = surplus = 0
    # Erased since, or given another purpose: no longer ours.
    voided = void.turns.filter(assignment__purpose=Assignment.Purpose.VOIDED).order_by("pk")
    for batch in _batches(voided.select_related("assignment")):
        kept = _restore(batch)
        restored += len(batch) - kept
        surplus += kept
    _forget_consensus(void)
    void.turns.update(is_settled=False)
    demonstrations = Demonstration.objects.filter(void=void).update(void=None)
    ring("annotation.tasks.settle_voids")
    return Restored(rankings=restored, surplus=surplus, demonstrations=demonstrations)


def settle_voids(*, now: datetime) -> int:
    """Make again the consensus of what was voided or restored. Returns how many candidate sets that were."""
    unsettled = VoidedTurn.objects.filter(is_settled=False).order_by("pk")
    settled = 0
    for turn in unsettled.select_related("assignment__candidate_set__prompt__campaign").iterator():
        look_again(candidate_set=turn.assignment.candidate_set, now=now)
        VoidedTurn.objects.filter(pk=turn.pk).update(is_settled=True)
        settled += 1
    return settled


def _turns(person: Person, since: datetime, until: datetime, campaign: Campaign | None) -> AssignmentQuerySet:
    ranked = Ranking.objects.filter(assignment=OuterRef("pk"))
    turns = (
        Assignment.objects.submitted()
        .for_labeler(person)
        .filter(
            Exists(ranked.filter(submitted_at__gte=since)),
            # Whoever corrects after it takes the whole out of it.
            ~Exists(ranked.filter(submitted_at__gte=until)),
            purpose__in=COUNTED,
        )
    )
    return turns.filter(campaign=campaign) if campaign else turns


def _demonstrations(
    person: Person, since: datetime, until: datetime, campaign: Campaign | None
) -> DemonstrationQuerySet:
    written = Demonstration.objects.for_labeler(person).usable()
    written = written.filter(submitted_at__gte=since, submitted_at__lt=until)
    return written.filter(prompt__campaign=campaign) if campaign else written


def _void_turns(void: Void, turns: AssignmentQuerySet) -> int:
    VoidedTurn.objects.bulk_create(
        (
            VoidedTurn(void=void, assignment=turn, purpose=turn.purpose, slot=turn.slot)
            for turn in turns.select_for_update(of=("self",)).order_by("pk")
        ),
        batch_size=BATCH,
    )
    taken_out = Assignment.objects.filter(pk__in=void.turns.values("assignment"))
    voided = taken_out.update(purpose=Assignment.Purpose.VOIDED, slot=None)
    _forget_consensus(void)
    if void.reopens:
        opened = void.turns.filter(purpose__in=ASKED).select_related("assignment").order_by("pk")
        Assignment.objects.bulk_create((_opened(turn) for turn in opened.iterator()), batch_size=BATCH)
    return voided


def _opened(turn: VoidedTurn) -> Assignment:
    """Another turn of the same kind, for somebody else."""
    return Assignment(
        candidate_set_id=turn.assignment.candidate_set_id,
        campaign_id=turn.assignment.campaign_id,
        language=turn.assignment.language,
        skill=turn.assignment.skill,
        priority=turn.assignment.priority,
        purpose=turn.purpose,
        slot=turn.slot,
    )


def _restore(turns: list[VoidedTurn]) -> int:
    """Put the turns back where nobody took their place. Returns how many became surplus."""
    rivals = _rivals(turns)
    free = [rival.pk for rival in rivals.values() if _is_untouched(rival)]
    surplus = 0
    for turn in turns:
        assignment, rival = turn.assignment, rivals.get(_place(turn.assignment, turn))
        is_taken = rival is not None and rival.pk not in free
        surplus += is_taken
        assignment.purpose = Assignment.Purpose.SURPLUS if is_taken else turn.purpose
        assignment.slot = None if is_taken else turn.slot
    # First: two of a set cannot have one slot.
    Assignment.objects.open().filter(pk__in=free).delete()
    Assignment.objects.bulk_update([turn.assignment for turn in turns], ["purpose", "slot"])
    return surplus


def _rivals(turns: list[VoidedTurn]) -> dict[tuple[int, str, int | None], Assignment]:
    """Who has the places of these turns now; locked, so that nobody takes an open one meanwhile."""
    places = {_place(turn.assignment, turn) for turn in turns}
    others = Assignment.objects.filter(candidate_set__in={place[0] for place in places}, purpose__in=ASKED)
    locked = others.select_for_update(of=("self",))
    return {_place(other, other): other for other in locked if _place(other, other) in places}


def _place(of: Assignment, named: Assignment | VoidedTurn) -> tuple[int, str, int | None]:
    return of.candidate_set_id, named.purpose, named.slot


def _is_untouched(rival: Assignment) -> bool:
    """Nobody holds it, nor could still hand it in late."""
    return rival.status == Assignment.Status.OPEN and not rival.lapsed_leases.exists()


def _forget_consensus(void: Void) -> None:
    sets = void.turns.values("assignment__candidate_set")
    Consensus.objects.filter(candidate_set__in=sets).delete()


def _batches(turns: QuerySet[VoidedTurn]) -> Iterable[list[VoidedTurn]]:
    last = 0
    while batch := list(turns.filter(pk__gt=last)[:BATCH]):
        yield batch
        last = batch[-1].pk
