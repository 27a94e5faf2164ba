import random
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.actions.candidates import shuffled
from annotation.actions.consents import require_consent
from annotation.actions.gold import claim_gold
from annotation.actions.pauses import require_no_pause
from annotation.errors import LeaseLost, Paused
from annotation.messages import check_text
from annotation.models import Assignment, Campaign, Person, Skip


def claim_assignments(
    *,
    campaign: Campaign,
    labeler: Person,
    count: int,
    holding: Collection[int],
    now: datetime,
    rng: random.Random,
) -> list[Assignment]:
    """Up to ``count`` assignments leased to ``labeler`` besides those that they are ``holding``.

    What they lease but do not hold (the page was reloaded) comes first, the rest is newly claimed.

    :raises ConsentNeeded: the campaign has a text that they have not agreed to.
    :raises Paused: they get no new work here, and hold none either.
    """
    require_consent(campaign, labeler)
    lease = timedelta(minutes=campaign.lease_minutes)
    leased = Assignment.objects.claimed().for_labeler(labeler).filter(campaign=campaign)
    leased = leased.exclude(purpose=Assignment.Purpose.ADJUDICATION)
    claimed = [
        assignment
        for assignment in leased.exclude(pk__in=holding).order_by("pk")[:count]
        if assignment.extend(labeler, now=now, lease=lease)
    ]
    if campaign.status != Campaign.Status.ACTIVE:
        return claimed
    try:
        require_no_pause(campaign, labeler)
    except Paused:
        if claimed:
            return claimed
        raise
    while len(claimed) < count:
        wanted = count - len(claimed)
        offered = _next_open(campaign, labeler, wanted) or _next_overdue(campaign, labeler, wanted, now)
        if not offered:
            break
        for assignment in offered:
            shown_order = shuffled(assignment.candidate_set, rng)
            if gold := claim_gold(campaign=campaign, labeler=labeler, now=now, lease=lease, rng=rng):
                claimed.append(gold)
            elif assignment.claim(labeler, now=now, lease=lease, shown_order=shown_order):
                claimed.append(assignment)
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


def return_overdue_assignments(*, now: datetime) -> int:
    """Open again what nobody kept alive. Returns how many that were."""
    return Assignment.objects.overdue(now).update(**Assignment.RETURNED)


def lease_lost() -> LeaseLost:
    return LeaseLost(_("This assignment is no longer yours: its time ran out and it was given back."))


def _next_open(campaign: Campaign, labeler: Person, count: int) -> list[Assignment]:
    claimable = Assignment.objects.claimable_by(labeler).filter(campaign=campaign)
    claimable = claimable.filter(purpose=Assignment.Purpose.OVERLAP)
    # Two slots of one candidate set can both be open, and a labeler gets only one: look a little further.
    first_of_set: dict[int, Assignment] = {}
    for assignment in claimable.order_by("-priority", "pk")[: count * campaign.overlap]:
        first_of_set.setdefault(assignment.candidate_set_id, assignment)
    return list(first_of_set.values())[:count]


def _next_overdue(campaign: Campaign, labeler: Person, count: int, now: datetime) -> list[Assignment]:
    overdue = Assignment.objects.overdue(now).filter(campaign=campaign)
    if not overdue.update(**Assignment.RETURNED):
        return []
    return _next_open(campaign, labeler, count)
