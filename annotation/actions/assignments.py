import random
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.actions.candidates import shuffled
from annotation.actions.cohorts import require_membership
from annotation.actions.consents import require_consent
from annotation.actions.gold import claim_gold
from annotation.actions.pauses import require_no_pause
from annotation.actions.practice import require_practice
from annotation.actions.search import Search, Slot, searches
from annotation.errors import LeaseLost, NotHandedOut
from annotation.messages import check_text
from annotation.models import Assignment, Campaign, LapsedLease, Person, Skip
from annotation.models.assignments import AssignmentQuerySet

OVERDUE_AT_ONCE = 500
OFFERED_AT_ONCE = 16


def claim_assignments(
    *,
    campaign: Campaign,
    labeler: Person,
    count: int,
    holding: Collection[UUID],
    now: datetime,
    rng: random.Random,
    purpose: str = Assignment.Purpose.OVERLAP,
) -> list[Assignment]:
    """Up to ``count`` assignments leased to ``labeler`` besides those that they are ``holding``.

    What they lease but do not hold (the page was reloaded) comes first, the rest is newly claimed.
    Adjudication goes to reviewers only.

    :raises NotAMember: the campaign is for cohorts that they are in none of.
    :raises ConsentNeeded: the campaign has a text that they have not agreed to.
    :raises Paused: they get no new work here, and hold none either.
    :raises PracticeNeeded: they have practice items to pass first, and hold nothing either.
    """
    require_membership(campaign, labeler)
    require_consent(campaign, labeler)
    lease = timedelta(minutes=campaign.lease_minutes)
    claimed = [
        assignment
        for assignment in _leased(campaign, labeler, purpose).exclude(key__in=holding)[:count]
        if assignment.extend(labeler, now=now, lease=lease)
    ]
    if not _may_have_more(campaign, labeler, purpose):
        return claimed
    try:
        require_no_pause(campaign, labeler)
        if purpose == Assignment.Purpose.OVERLAP:
            require_practice(campaign, labeler)
    except NotHandedOut:
        if claimed:
            return claimed
        raise
    claimed += islice(_found(campaign, labeler, purpose, now, lease, rng), count - len(claimed))
    if len(claimed) < count and return_overdue_assignments(now=now, campaign=campaign):
        claimed += islice(_found(campaign, labeler, purpose, now, lease, rng), count - len(claimed))
    return claimed


def extend_assignment(*, assignment: Assignment, labeler: Person, now: datetime) -> Assignment:
    """Renew the lease.

    :raises LeaseLost: the assignment is no longer this labeler's.
    """
    lease = timedelta(minutes=assignment.campaign.lease_minutes)
    if not assignment.extend(labeler, now=now, lease=lease):
        raise lease_lost()
    return assignment


@transaction.atomic
def skip_assignment(*, assignment: Assignment, labeler: Person, reason: str, now: datetime) -> None:
    """Give the assignment back for somebody else and never offer its candidate set to ``labeler`` again.

    :raises LeaseLost: the assignment is no longer this labeler's.
    """
    if not assignment.release(labeler):
        raise lease_lost()
    Skip.objects.get_or_create(
        candidate_set=assignment.candidate_set,
        labeler=labeler,
        defaults={"reason": check_text(reason)[:500], "skipped_at": now},
    )


def return_overdue_assignments(*, now: datetime, campaign: Campaign | None = None) -> int:
    """Open again what nobody kept alive, and remember who had it. Returns how many that were."""
    returned = 0
    while count := _return_some(now, campaign):
        returned += count
    return returned


def lease_lost() -> LeaseLost:
    return LeaseLost(_("This assignment is no longer yours: its time ran out and it was given back."))


def _may_have_more(campaign: Campaign, labeler: Person, purpose: str) -> bool:
    is_adjudication = purpose == Assignment.Purpose.ADJUDICATION
    is_allowed = not is_adjudication or labeler.is_reviewer
    return campaign.status == Campaign.Status.ACTIVE and is_allowed


def _leased(campaign: Campaign, labeler: Person, purpose: str) -> AssignmentQuerySet:
    # Known answers and votes between models stand among the ordinary ones, also after a reload.
    among = {Assignment.Purpose.GOLD, Assignment.Purpose.ARENA}
    purposes = {purpose, *among} if purpose == Assignment.Purpose.OVERLAP else {purpose}
    leased = Assignment.objects.claimed().for_labeler(labeler)
    return leased.filter(campaign=campaign, purpose__in=purposes).in_full().order_by("pk")


def _found(
    campaign: Campaign, labeler: Person, purpose: str, now: datetime, lease: timedelta, rng: random.Random
) -> Iterator[Assignment]:
    for search in searches(campaign, labeler, purpose):
        yield from _newly_claimed(search, now, lease, rng)


def _newly_claimed(
    search: Search, now: datetime, lease: timedelta, rng: random.Random
) -> Iterator[Assignment]:
    """One after the other, and only as many as are asked for."""
    for offered in search.claimable(now):
        while offered:
            if gold := _gold_instead(search, now, lease, rng):
                yield gold
                continue
            some = [slot.pk for slot in offered[:OFFERED_AT_ONCE]]
            assignment, is_won = _claim_one(some, search.labeler, now, lease, rng)
            offered = _behind(offered, assignment, is_won) if assignment else offered[OFFERED_AT_ONCE:]
            if assignment and is_won:
                yield assignment


def _gold_instead(search: Search, now: datetime, lease: timedelta, rng: random.Random) -> Assignment | None:
    if search.purpose != Assignment.Purpose.OVERLAP:
        return None
    return claim_gold(campaign=search.campaign, labeler=search.labeler, now=now, lease=lease, rng=rng)


def _behind(offered: list[Slot], assignment: Assignment, is_won: bool) -> list[Slot]:
    """What is left to try: of one candidate set a labeler gets one slot."""
    tried = [slot.pk for slot in offered].index(assignment.pk)
    left = offered[tried + 1 :]
    return [slot for slot in left if not is_won or slot.candidate_set != assignment.candidate_set_id]


@transaction.atomic
def _claim_one(
    offered: list[int], labeler: Person, now: datetime, lease: timedelta, rng: random.Random
) -> tuple[Assignment | None, bool]:
    # PostgreSQL passes over what somebody else is just taking; SQLite lets one of us in at a time. One claim
    # is one transaction, so that nobody who waits for a row holds another one.
    free = Assignment.objects.open().filter(pk__in=offered).in_full().order_by("-priority", "pk")
    assignment = free.select_for_update(skip_locked=True, of=("self",)).first()
    if assignment is None:
        return None, False
    order = shuffled(assignment.candidate_set, rng)
    return assignment, assignment.claim(labeler, now=now, lease=lease, shown_order=order)


@transaction.atomic
def _return_some(now: datetime, campaign: Campaign | None) -> int:
    overdue = Assignment.objects.overdue(now).order_by("pk")
    if campaign is not None:
        overdue = overdue.filter(campaign=campaign)
    # Whoever submits one at this moment, or returns it, has its row; it is not for us.
    lapsed = list(overdue.select_for_update(skip_locked=True)[:OVERDUE_AT_ONCE])
    LapsedLease.objects.bulk_create(
        [
            LapsedLease(
                assignment=assignment,
                labeler_id=assignment.labeler_id,  # type: ignore[misc]  # claimed, so there is one
                shown_order=assignment.shown_order,
                lapsed_at=now,
            )
            for assignment in lapsed
        ],
        update_conflicts=True,
        unique_fields=["assignment", "labeler"],
        update_fields=["shown_order", "lapsed_at"],
    )
    Assignment.objects.filter(pk__in=[assignment.pk for assignment in lapsed]).update(**Assignment.RETURNED)
    return len(lapsed)
