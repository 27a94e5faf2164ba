from dataclasses import dataclass
from datetime import datetime

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
    claimable = Assignment.objects.claimable_by(labeler).filter(campaign=campaign)
    written = Demonstration.objects.for_labeler(labeler).filter(prompt__campaign=campaign)
    wanting = campaign.prompts.wanting_demonstrations(campaign).exclude(pk__in=written.values("prompt"))
    is_active = campaign.status == Campaign.Status.ACTIVE
    return Waiting(
        campaign=campaign,
        is_active=is_active,
        rankings_waiting=mine.count()
        + (claimable.values("candidate_set").distinct().count() if is_active else 0),
        demonstrations_waiting=written.drafts().count() + (wanting.count() if is_active else 0),
        ranked_today=Ranking.objects.filter(
            labeler=labeler, assignment__campaign=campaign, submitted_at__gte=midnight
        ).count(),
        demonstrated_today=written.filter(submitted_at__gte=midnight).count(),
    )
