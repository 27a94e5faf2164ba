from dataclasses import dataclass
from datetime import datetime

from annotation.actions.gold import gold_to_come
from annotation.actions.pauses import is_paused
from annotation.models import Assignment, Campaign, Demonstration, Person, Ranking


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What waits in a campaign for one labeler, and what they did there today."""

    campaign: Campaign
    is_active: bool
    rankings_waiting: int
    demonstrations_waiting: int
    ranked_today: int
    demonstrated_today: int


def waiting_for(labeler: Person, campaign: Campaign, *, now: datetime) -> Waiting:
    """Five counts; "today" is the day of the server's time zone."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    mine = Assignment.objects.claimed().for_labeler(labeler).filter(campaign=campaign)
    mine = mine.exclude(purpose=Assignment.Purpose.ADJUDICATION)
    claimable = Assignment.objects.claimable_by(labeler).filter(campaign=campaign)
    claimable = claimable.filter(purpose=Assignment.Purpose.OVERLAP)
    written = Demonstration.objects.for_labeler(labeler).filter(prompt__campaign=campaign)
    wanting = campaign.prompts.wanting_demonstrations(campaign).exclude(pk__in=written.values("prompt"))
    is_active = campaign.status == Campaign.Status.ACTIVE
    gives_more = is_active and not is_paused(campaign, labeler)
    ordinary = claimable.values("candidate_set").distinct().count() if gives_more else 0
    gold = gold_to_come(campaign, labeler, ordinary=ordinary)
    return Waiting(
        campaign=campaign,
        is_active=is_active,
        rankings_waiting=mine.count() + max(0, ordinary + gold),
        demonstrations_waiting=written.to_write().count() + (wanting.count() if gives_more else 0),
        ranked_today=Ranking.objects.filter(
            labeler=labeler, assignment__campaign=campaign, submitted_at__gte=midnight
        )
        .exclude(assignment__purpose=Assignment.Purpose.ADJUDICATION)
        .count(),
        demonstrated_today=written.filter(submitted_at__gte=midnight).count(),
    )
