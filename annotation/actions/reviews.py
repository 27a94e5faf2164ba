"""What reviewers do: look at demonstrations, and settle what labelers disagree on."""

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from annotation.actions.assignments import claim_assignments, lease_lost
from annotation.actions.cohorts import require_membership
from annotation.actions.search import Search
from annotation.actions.waiting import MOST_COUNTED
from annotation.errors import ReasonMissing, StaleRevision
from annotation.messages import check_text
from annotation.models import Assignment, Campaign, Demonstration, Person, Ranking, Review

MAX_REASON = 2000


@dataclass(frozen=True, kw_only=True)
class ReviewsWaiting:
    """What waits in a campaign for one reviewer, and what they decided there today."""

    campaign: Campaign
    demonstrations_waiting: int
    adjudications_waiting: int
    reviewed_today: int
    adjudicated_today: int


def reviews_waiting(campaign: Campaign, reviewer: Person, *, now: datetime) -> ReviewsWaiting:
    """Four counts; "today" is the day of the server's time zone."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    reviewed = Review.objects.filter(reviewer=reviewer, demonstration__prompt__campaign=campaign)
    adjudicated = Ranking.objects.filter(
        labeler=reviewer,
        assignment__campaign=campaign,
        assignment__purpose=Assignment.Purpose.ADJUDICATION,
    )
    return ReviewsWaiting(
        campaign=campaign,
        demonstrations_waiting=_reviewable(campaign, reviewer, now)[:MOST_COUNTED].count(),
        adjudications_waiting=_adjudications_waiting(campaign, reviewer, now),
        reviewed_today=reviewed.filter(reviewed_at__gte=midnight).count(),
        adjudicated_today=adjudicated.filter(submitted_at__gte=midnight).count(),
    )


def claim_review(*, campaign: Campaign, reviewer: Person, now: datetime) -> Demonstration | None:
    """The demonstration that the reviewer already looks at, its lease renewed, else the next one.

    :raises NotAMember: the campaign is for cohorts that they are in none of.
    """
    require_membership(campaign, reviewer)
    lease = timedelta(minutes=campaign.lease_minutes)
    reviewable = _reviewable(campaign, reviewer, now)
    held = reviewable.filter(reviewer=reviewer).order_by("submitted_at", "pk").first()
    if held and held.take_up(reviewer, now=now, lease=lease):
        return held
    while demonstration := reviewable.order_by("submitted_at", "pk").first():
        # Another reviewer may be faster; then it is no longer in the query.
        if demonstration.take_up(reviewer, now=now, lease=lease):
            return demonstration
    return None


@transaction.atomic
def review_demonstration(
    *,
    demonstration: Demonstration,
    reviewer: Person,
    verdict: str,
    reason: str = "",
    revision: int,
    now: datetime,
) -> tuple[Review, bool]:
    """Accept the demonstration, or return it to its author with a reason. Said again, it changes nothing.

    :raises ReasonMissing: it is returned without one.
    :raises StaleRevision: its author has changed the text that was looked at.
    :raises LeaseLost: another reviewer has it by now, or has decided.
    """
    reason = check_text(reason).strip()[:MAX_REASON]
    if verdict == Review.Verdict.RETURNED and not reason:
        raise ReasonMissing(_("Say what should be different: its author reads it."))
    if not demonstration.decide(reviewer, verdict, revision=revision):
        return _said_before(demonstration, reviewer, verdict, reason, revision), False
    review = Review.objects.create(
        demonstration=demonstration,
        reviewer=reviewer,
        verdict=verdict,
        reason=reason,
        turns=demonstration.turns,
        reviewed_at=now,
    )
    return review, True


def claim_adjudications(
    *,
    campaign: Campaign,
    reviewer: Person,
    count: int,
    holding: Collection[UUID],
    now: datetime,
    rng: random.Random,
) -> list[Assignment]:
    """Up to ``count`` disagreements leased to ``reviewer`` besides those that they are ``holding``.

    Never a set that they ranked, skipped or wrote for. They are ranked and handed in like any other.
    """
    return claim_assignments(
        campaign=campaign,
        labeler=reviewer,
        count=count,
        holding=holding,
        now=now,
        rng=rng,
        purpose=Assignment.Purpose.ADJUDICATION,
    )


def orders_of_labelers(adjudication: Assignment) -> list[Ranking]:
    """What labelers said of the same candidates, in an order that tells nobody's name."""
    asked = Ranking.objects.current().filter(
        assignment__candidate_set=adjudication.candidate_set_id,
        assignment__purpose=Assignment.Purpose.OVERLAP,
    )
    return list(asked.order_by("idempotency_key"))


def _reviewable(campaign: Campaign, reviewer: Person, now: datetime) -> QuerySet[Demonstration]:
    handed_in = Demonstration.objects.reviewable_by(reviewer, now)
    return handed_in.filter(prompt__campaign=campaign).select_related("prompt__campaign", "guideline")


def _said_before(
    demonstration: Demonstration, reviewer: Person, verdict: str, reason: str, revision: int
) -> Review:
    last = demonstration.reviews.order_by("-reviewed_at", "-pk").first()
    if last and (last.reviewer_id, last.verdict, last.reason) == (reviewer.pk, verdict, reason):
        return last
    if demonstration.revision != revision:
        raise StaleRevision(_("Its author has changed it since: this is not the text that you read."))
    raise lease_lost()


def _adjudications_waiting(campaign: Campaign, reviewer: Person, now: datetime) -> int:
    purpose = Assignment.Purpose.ADJUDICATION
    held = Assignment.objects.claimed().filter(labeler=reviewer, campaign=campaign, purpose=purpose)
    search = Search(campaign=campaign, labeler=reviewer, purpose=purpose)
    waiting = sum(1 for _slot in islice(chain.from_iterable(search.claimable(now)), MOST_COUNTED))
    return min(held.count() + waiting, MOST_COUNTED)
