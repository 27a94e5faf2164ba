"""What somebody handed in, for themselves: rankings as they now stand, and demonstrations."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Prefetch, Q, QuerySet, TextChoices

from annotation.models import Assignment, Campaign, Demonstration, Person, Prompt, Ranking, Review


class Kind(TextChoices):
    DEMONSTRATION = "demonstration"
    RANKING = "ranking"


class Standing(TextChoices):
    SUBMITTED = "SUBMITTED"
    CORRECTED = "CORRECTED"
    SURPLUS = "SURPLUS"
    ACCEPTED = "ACCEPTED"
    RETURNED = "RETURNED"


class Place(NamedTuple):
    """Where a page ends. Larger is later: entries stand in falling order of this."""

    at: datetime
    kind: str
    pk: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A ranking or a demonstration. Whether its answer was known is nowhere in it."""

    kind: Kind
    row: Any
    standing: Standing
    campaign: Campaign
    prompt: Prompt
    correctable_until: datetime | None = None
    feedback: list[Review]

    @property
    def place(self) -> Place:
        return Place(self.row.submitted_at, self.kind.value, self.row.pk)


def history_of(
    labeler: Person,
    *,
    campaign: int | None = None,
    kind: str = "",
    standing: str = "",
    after: Place | None = None,
    count: int,
) -> list[Entry]:
    """Up to ``count`` entries below ``after``, latest first.

    Each table gives its own latest from an index, so that a page costs the same in a long history.
    """
    entries: list[Entry] = []
    if kind != Kind.DEMONSTRATION:
        rankings = _page(own_rankings_in_full(labeler), Kind.RANKING, after)
        if campaign is not None:
            rankings = rankings.filter(assignment__campaign=campaign)
        entries += ranking_entries(list(rankings.filter(_ranking_standing(standing))[:count]))
    if kind != Kind.RANKING:
        written = _page(own_demonstrations_in_full(labeler), Kind.DEMONSTRATION, after)
        if campaign is not None:
            written = written.filter(prompt__campaign=campaign)
        if standing:
            written = written.filter(status=standing)
        entries += [demonstration_entry(row) for row in written[:count]]
    return sorted(entries, key=lambda entry: entry.place, reverse=True)[:count]


def own_rankings_in_full(labeler: Person) -> QuerySet[Ranking]:
    mine = Ranking.objects.current().of_labelers().filter(labeler=labeler)
    return mine.select_related("guideline", "assignment__campaign", "assignment__candidate_set__prompt")


def own_demonstrations_in_full(labeler: Person) -> QuerySet[Demonstration]:
    """Those that are handed in, each with what was said of it."""
    reviews = Prefetch("reviews", Review.objects.order_by("-reviewed_at", "-pk"))
    mine = Demonstration.objects.for_labeler(labeler).filter(submitted_at__isnull=False)
    return mine.select_related("guideline", "prompt__campaign").prefetch_related(reviews)


def skipped_demonstrations(labeler: Person) -> QuerySet[Demonstration]:
    """Those that they passed on, latest first: each can be written after all."""
    mine = Demonstration.objects.for_labeler(labeler).skipped()
    return mine.select_related("prompt__campaign").order_by("-skipped_at", "-pk")


def ranking_entries(rankings: list[Ranking]) -> list[Entry]:
    """One more query, for when those that were corrected had been handed in first."""
    corrected = [ranking.assignment_id for ranking in rankings if ranking.revision > 1]
    first = (
        Ranking.objects.filter(assignment__in=corrected, revision=1) if corrected else Ranking.objects.none()
    )
    handed_in = dict(first.values_list("assignment", "submitted_at"))
    return [
        Entry(
            kind=Kind.RANKING,
            row=ranking,
            standing=_standing_of(ranking),
            campaign=ranking.assignment.campaign,
            prompt=ranking.assignment.candidate_set.prompt,
            correctable_until=_correctable_until(
                ranking.assignment.campaign, handed_in.get(ranking.assignment_id, ranking.submitted_at)
            ),
            feedback=[],
        )
        for ranking in rankings
    ]


def demonstration_entry(demonstration: Demonstration) -> Entry:
    return Entry(
        kind=Kind.DEMONSTRATION,
        row=demonstration,
        standing=Standing(demonstration.status),
        campaign=demonstration.prompt.campaign,
        prompt=demonstration.prompt,
        feedback=list(demonstration.reviews.all()),
    )


def _page(rows: QuerySet[Any], kind: Kind, after: Place | None) -> QuerySet[Any]:
    rows = rows.order_by("-submitted_at", "-pk")
    if after is None:
        return rows
    below = Q(submitted_at__lt=after.at)
    if kind.value < after.kind:
        below |= Q(submitted_at=after.at)
    elif kind.value == after.kind:
        below |= Q(submitted_at=after.at, pk__lt=after.pk)
    # Said once more without "or", so that the index is entered here and not at its beginning.
    return rows.filter(below, submitted_at__lte=after.at)


def _ranking_standing(standing: str) -> Q:
    surplus = Q(assignment__purpose=Assignment.Purpose.SURPLUS)
    wanted = {
        "": Q(),
        Standing.SURPLUS: surplus,
        Standing.CORRECTED: ~surplus & Q(revision__gt=1),
        Standing.SUBMITTED: ~surplus & Q(revision=1),
    }
    return wanted.get(standing, Q(pk__in=[]))


def _standing_of(ranking: Ranking) -> Standing:
    if ranking.assignment.purpose == Assignment.Purpose.SURPLUS:
        return Standing.SURPLUS
    return Standing.CORRECTED if ranking.revision > 1 else Standing.SUBMITTED


def _correctable_until(campaign: Campaign, handed_in: datetime) -> datetime | None:
    if campaign.status != Campaign.Status.ACTIVE or campaign.correction_minutes == 0:
        return None
    return handed_in + timedelta(minutes=campaign.correction_minutes)
