from dataclasses import dataclass
from datetime import datetime

from annotation.actions.search import Search
from annotation.models import Assignment, Campaign, Demonstration, Person, Ranking

MOST_COUNTED = 1000
"""Nobody needs to tell a thousand from a million, and to count on would be to read them all."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What waits in a campaign for one labeler, and what they did there today.

    What waits is counted up to ``counted_to``; that number itself means "this many or more".
    """

    campaign: Campaign
    is_active: bool
    rankings_waiting: int
    demonstrations_waiting: int
    ranked_today: int
    demonstrated_today: int
    counted_to: int = MOST_COUNTED


def waiting_for(labeler: Person, campaign: Campaign, *, now: datetime) -> Waiting:
    """Five counts; "today" is the day of the server's time zone."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    written = Demonstration.objects.for_labeler(labeler).filter(prompt__campaign=campaign)
    return Waiting(
        campaign=campaign,
        is_active=campaign.status == Campaign.Status.ACTIVE,
        rankings_waiting=_rankings_waiting(labeler, campaign, now),
        demonstrations_waiting=_demonstrations_waiting(labeler, campaign),
        ranked_today=Ranking.objects.filter(
            labeler=labeler, assignment__campaign=campaign, submitted_at__gte=midnight, revision=1
        ).count(),
        demonstrated_today=written.filter(submitted_at__gte=midnight).count(),
    )


def _rankings_waiting(labeler: Person, campaign: Campaign, now: datetime) -> int:
    held = Assignment.objects.claimed().for_labeler(labeler).filter(campaign=campaign)
    ordinary = held.exclude(purpose=Assignment.Purpose.ADJUDICATION)
    waiting = set(ordinary.values_list("candidate_set", flat=True))
    if campaign.status == Campaign.Status.ACTIVE:
        search = Search(campaign=campaign, labeler=labeler, purpose=Assignment.Purpose.OVERLAP)
        for page in search.claimable(now):
            waiting |= {slot.candidate_set for slot in page}
            if len(waiting) >= MOST_COUNTED:
                break
    return min(len(waiting), MOST_COUNTED)


def _demonstrations_waiting(labeler: Person, campaign: Campaign) -> int:
    written = Demonstration.objects.for_labeler(labeler).filter(prompt__campaign=campaign)
    waiting = written.drafts().count()
    if campaign.status == Campaign.Status.ACTIVE and campaign.demonstrations_per_prompt:
        wanting = campaign.prompts.wanting_demonstrations(campaign).exclude(pk__in=written.values("prompt"))
        waiting += wanting[:MOST_COUNTED].count()
    return min(waiting, MOST_COUNTED)
