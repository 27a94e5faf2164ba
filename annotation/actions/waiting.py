from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from django.db.models import TextChoices

from annotation.actions.consents import needs_consent
from annotation.actions.gold import gold_to_come
from annotation.actions.pauses import is_paused
from annotation.actions.practice import practice_left
from annotation.actions.search import searches
from annotation.models import Assignment, Campaign, Demonstration, Person, Ranking

MOST_COUNTED = 1000
"""Nobody needs to tell a thousand from a million, and to count on would be to read them all."""


class Obstacle(TextChoices):
    """What stands between a labeler and more work."""

    NONE = "NONE"
    CAMPAIGN_PAUSED = "CAMPAIGN_PAUSED"
    CONSENT_NEEDED = "CONSENT_NEEDED"
    LABELER_PAUSED = "LABELER_PAUSED"
    OTHER_LANGUAGES = "OTHER_LANGUAGES"
    """What waits is in languages that they do not have."""
    OTHER_SKILLS = "OTHER_SKILLS"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What waits in a campaign for one labeler, and what they did there today.

    What waits is counted up to ``counted_to``; that number itself means "this many or more".
    """

    campaign: Campaign
    is_active: bool
    obstacle: Obstacle
    rankings_waiting: int
    demonstrations_waiting: int
    ranked_today: int
    demonstrated_today: int
    practice_left: int
    """How many practice items to pass before the first of the waiting rankings."""
    counted_to: int = MOST_COUNTED


def waiting_for(labeler: Person, campaign: Campaign, *, now: datetime) -> Waiting:
    """Counts; "today" begins at midnight on the clock of ``now``."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    written = Demonstration.objects.for_labeler(labeler).filter(prompt__campaign=campaign)
    is_active = campaign.status == Campaign.Status.ACTIVE
    paused = is_paused(campaign, labeler)
    gives_more = is_active and not paused
    rankings_waiting = _rankings_waiting(labeler, campaign, gives_more, now)
    return Waiting(
        campaign=campaign,
        is_active=is_active,
        obstacle=_obstacle(labeler, campaign, is_paused=paused, is_idle=rankings_waiting == 0),
        rankings_waiting=rankings_waiting,
        demonstrations_waiting=_demonstrations_waiting(labeler, campaign, gives_more),
        ranked_today=Ranking.objects.of_labelers()
        .filter(labeler=labeler, assignment__campaign=campaign, submitted_at__gte=midnight, revision=1)
        .count(),
        demonstrated_today=written.filter(submitted_at__gte=midnight).count(),
        practice_left=practice_left(campaign, labeler),
    )


def _obstacle(labeler: Person, campaign: Campaign, *, is_paused: bool, is_idle: bool) -> Obstacle:
    if campaign.status != Campaign.Status.ACTIVE:
        return Obstacle.CAMPAIGN_PAUSED
    if needs_consent(campaign, labeler):
        return Obstacle.CONSENT_NEEDED
    if is_paused:
        return Obstacle.LABELER_PAUSED
    if not is_idle:
        return Obstacle.NONE
    asked = [Assignment.Purpose.OVERLAP, Assignment.Purpose.ARENA]
    waiting = Assignment.objects.open().filter(campaign=campaign, purpose__in=asked)
    if labeler.languages and waiting.exclude(language__in=["", *labeler.languages]).exists():
        return Obstacle.OTHER_LANGUAGES
    if waiting.exclude(skill__in=["", *labeler.skills]).exists():
        return Obstacle.OTHER_SKILLS
    return Obstacle.NONE


def _rankings_waiting(labeler: Person, campaign: Campaign, gives_more: bool, now: datetime) -> int:
    mine = Assignment.objects.claimed().for_labeler(labeler).filter(campaign=campaign)
    held = mine.exclude(purpose=Assignment.Purpose.ADJUDICATION).count()
    ordinary: set[int] = set()
    places = searches(campaign, labeler, Assignment.Purpose.OVERLAP) if gives_more else []
    for page in chain.from_iterable(search.claimable(now) for search in places):
        ordinary |= {slot.candidate_set for slot in page}
        if held + len(ordinary) >= MOST_COUNTED:
            return MOST_COUNTED
    gold = gold_to_come(campaign, labeler, ordinary=len(ordinary))
    return min(MOST_COUNTED, held + max(0, len(ordinary) + gold))


def _demonstrations_waiting(labeler: Person, campaign: Campaign, gives_more: bool) -> int:
    written = Demonstration.objects.for_labeler(labeler).filter(prompt__campaign=campaign)
    waiting = written.to_write().count()
    if gives_more and campaign.demonstrations_per_prompt:
        wanting = campaign.prompts.wanting_demonstrations(campaign).exclude(pk__in=written.values("prompt"))
        waiting += wanting[:MOST_COUNTED].count()
    return min(waiting, MOST_COUNTED)
