"""How people do, as their researchers see it; and changing what they are and may do."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import groupby
from typing import Any

from django.db import transaction
from django.db.models import Avg, Count, Max, OuterRef, Subquery, TextChoices
from django.db.models.functions import TruncWeek
from django.utils.translation import gettext_lazy as _

from annotation.actions.pauses import gold_share
from annotation.actions.suspension import check_may_manage, check_not_last_researcher
from annotation.agreement import agreement_with_others
from annotation.comparisons import Ballot, candidates_of, outcome_matrix
from annotation.models import (
    Assignment,
    Campaign,
    Cohort,
    Demonstration,
    Pause,
    Person,
    QualityReport,
    Ranking,
)

WEEK = timedelta(days=7)
WEEKS = 8
MOST_GOLD = 2000
MOST_REPORTS = 5
LATEST = 500
"""Agreement over time is told from so many of the latest rankings."""


class State(TextChoices):
    REGULAR = "REGULAR", _("Regular")
    PAUSED = "PAUSED", _("Paused")
    """By their accuracy on gold, somewhere."""
    SUSPENDED = "SUSPENDED", _("Suspended")
    ERASED = "ERASED", _("Erased")


@dataclass(frozen=True, kw_only=True)
class Figures:
    """How one person does."""

    state: State
    last_active: datetime | None
    rankings: int
    """In the last seven days."""
    seconds: float | None
    """The mean of those."""
    accuracy: float | None
    """On their latest gold."""
    agreement: float | None
    """With others, as the latest reports say."""


@dataclass(frozen=True, kw_only=True)
class Week:
    monday: date
    rankings: int = 0
    seconds: float | None = None
    agreement: float | None = None
    comparisons: int = 0
    """That others made too."""


def figures_of(people: Sequence[Person], *, now: datetime) -> dict[int, Figures]:
    """By person, with the same few queries for a page of them."""
    # The first of an index for each, where grouping would read all that a busy labeler ever ranked.
    theirs = Ranking.objects.filter(labeler=OuterRef("pk")).order_by("-submitted_at")
    asked = Person.objects.filter(pk__in=[person.pk for person in people])
    latest = dict(asked.values_list("pk", Subquery(theirs.values("submitted_at")[:1])))
    recent = Ranking.objects.filter(labeler__in=people, submitted_at__gte=now - WEEK, revision=1)
    week = {
        pk: (count, seconds)
        for pk, count, seconds in recent.values_list("labeler").annotate(Count("pk"), Avg("seconds_spent"))
    }
    accuracy, agreement = _accuracy(people), _reported_agreement()
    paused = set(Pause.objects.filter(labeler__in=people, lifted_at=None).values_list("labeler", flat=True))
    return {
        person.pk: Figures(
            state=state_of(person, is_paused=person.pk in paused),
            last_active=max(filter(None, [person.last_login, latest.get(person.pk)]), default=None),
            rankings=week.get(person.pk, (0, None))[0],
            seconds=week.get(person.pk, (0, None))[1],
            accuracy=accuracy.get(person.pk),
            agreement=agreement.get(person.pk),
        )
        for person in people
    }


def state_of(person: Person, *, is_paused: bool) -> State:
    if person.erased_at:
        return State.ERASED
    if not person.is_active:
        return State.SUSPENDED
    return State.PAUSED if is_paused else State.REGULAR


def weeks_of(person: Person, *, now: datetime) -> list[Week]:
    """The last weeks, the oldest first: how much, how fast, and how often as others say."""
    monday = (now - timedelta(days=now.weekday())).date()
    mondays = [monday - WEEK * back for back in range(WEEKS - 1, -1, -1)]
    first = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=now.weekday())
    mine = Ranking.objects.filter(labeler=person, revision=1, submitted_at__gte=first - WEEK * (WEEKS - 1))
    weeks = mine.annotate(week=TruncWeek("submitted_at", tzinfo=now.tzinfo)).order_by()
    told = {
        week.date(): {"rankings": count, "seconds": seconds}
        for week, count, seconds in weeks.values_list("week").annotate(Count("pk"), Avg("seconds_spent"))
    }
    agreed = _agreement_by_week(person, now)
    return [
        Week(monday=day, **told.get(day, {}), **agreed.get(day, {}))  # type: ignore[arg-type]
        for day in mondays
    ]


def work_by_campaign(person: Person) -> list[tuple[Campaign, int, int]]:
    """Rankings and demonstrations handed in, voided ones too."""
    turns = Assignment.objects.submitted().for_labeler(person).order_by()
    ranked = dict(turns.values_list("campaign").annotate(Count("pk")))
    handed_in = Demonstration.objects.for_labeler(person).filter(submitted_at__isnull=False).order_by()
    written = dict(handed_in.values_list("prompt__campaign").annotate(Count("pk")))
    return [
        (campaign, ranked.get(campaign.pk, 0), written.get(campaign.pk, 0))
        for campaign in Campaign.objects.filter(pk__in={*ranked, *written}).order_by("name")
    ]


@transaction.atomic
def change_people(
    *,
    people: Iterable[Person],
    by: Person,
    role: str = "",
    languages: Sequence[str] | None = None,
    skills: Sequence[str] | None = None,
    join: Iterable[Cohort] = (),
    leave: Iterable[Cohort] = (),
) -> int:
    """Change many at once; what is left as it is here stays as it is. Returns how many that were.

    :raises NotAllowed: one of them is not theirs to change, or nobody could run the place any more. Then
        nobody is changed.
    """
    changed = list(people)
    for person in changed:
        check_may_manage(person, by)
        if role:
            change_role(person, role)
        person.languages = person.languages if languages is None else list(languages)
        person.skills = person.skills if skills is None else list(skills)
        person.save(update_fields=["role", "is_staff", "languages", "skills"])
    for cohort in join:
        cohort.members.add(*changed)
    for cohort in leave:
        cohort.members.remove(*changed)
    return len(changed)


def change_role(person: Person, role: str) -> None:
    """Not stored yet. The admin panel is for researchers.

    :raises NotAllowed: they are the last researcher.
    """
    if role != Person.Role.RESEARCHER and not person.is_superuser:
        check_not_last_researcher(person)
    person.role = role
    person.is_staff = person.is_superuser or role == Person.Role.RESEARCHER


def _accuracy(people: Sequence[Person]) -> dict[int, float]:
    """Over the latest gold of all of them together, which a page can afford."""
    met = Assignment.objects.submitted().filter(labeler__in=people, purpose=Assignment.Purpose.GOLD)
    # In two steps, so that no database looks for gold among all rankings.
    latest = list(met.order_by("-pk").values_list("pk", flat=True)[:MOST_GOLD])
    given = Ranking.objects.current().filter(
        assignment__in=latest, assignment__candidate_set__gold__is_active=True
    )
    shares: dict[int, list[Fraction]] = defaultdict(list)
    for ranking in given.select_related("assignment__candidate_set__gold"):
        if (share := gold_share(ranking)) is not None:
            shares[ranking.labeler_id].append(share)
    return {pk: float(sum(some) / len(some)) for pk, some in shares.items()}


def _reported_agreement() -> dict[int, float]:
    """Of each labeler in the latest report of each campaign, weighed by how much was compared."""
    newest = QualityReport.objects.values("campaign").annotate(newest=Max("pk")).values("newest")
    reports = QualityReport.objects.filter(pk__in=newest).order_by("-pk")[:MOST_REPORTS]
    sums: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for report in reports:
        for one in report.figures.get("labelers", []):
            figure = one.get("agreement", {})
            if "value" in figure:
                sums[one["labeler"]][0] += figure["value"] * figure["cases"]
                sums[one["labeler"]][1] += figure["cases"]
    return {pk: agreeing / cases for pk, (agreeing, cases) in sums.items() if cases}


def _agreement_by_week(person: Person, now: datetime) -> dict[date, dict[str, Any]]:
    mine = Ranking.objects.current().filter(labeler=person, assignment__purpose=Assignment.Purpose.OVERLAP)
    latest = mine.order_by("-submitted_at").values_list("assignment__candidate_set", "submitted_at")[:LATEST]
    when = dict(latest)
    sums: dict[date, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for candidate_set, who, ballots in _judged(list(when)):
        if person.pk not in who:
            continue
        agreeing, everything = agreement_with_others(outcome_matrix(ballots, candidates_of(ballots)))
        at = when[candidate_set].astimezone(now.tzinfo)
        week = sums[(at - timedelta(days=at.weekday())).date()]
        week[0] += float(agreeing[who.index(person.pk)])
        week[1] += float(everything[who.index(person.pk)])
    return {
        monday: {"agreement": agreeing / cases, "comparisons": int(cases)}
        for monday, (agreeing, cases) in sums.items()
        if cases
    }


def _judged(candidate_sets: list[int]) -> Iterable[tuple[int, list[int], list[Ballot]]]:
    """Sets that two or more judged: who did, and what they said."""
    counted = Ranking.objects.current().filter(
        assignment__candidate_set__in=candidate_sets,
        assignment__purpose=Assignment.Purpose.OVERLAP,
        cannot_judge="",
    )
    columns = ["assignment__candidate_set", "labeler", "tiers", "unacceptable"]
    rows = counted.order_by(columns[0], "pk").values_list(*columns)
    for pk, group in groupby(rows, key=lambda row: row[0]):
        judged = list(group)
        if len(judged) > 1:
            yield pk, [row[1] for row in judged], [Ballot(row[2], row[3]) for row in judged]
