"""How far somebody has got, for themselves: what they did, at which pace, and what they left lying."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Count, Q, QuerySet

from annotation.actions.feedback import unread_feedback
from annotation.models import (
    Assignment,
    Campaign,
    Demonstration,
    Person,
    Prompt,
    Ranking,
    RankingDraft,
    Review,
)
from annotation.models.demonstrations import DemonstrationQuerySet

DAYS = 7
LATEST = 20
MOST_LISTED = 20


@dataclass(frozen=True, kw_only=True)
class Day:
    date: date
    rankings: int
    demonstrations: int


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """Work that was begun and not handed in, and where it lies."""

    kind: str
    campaign: Campaign
    prompt: Prompt
    saved_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Progress:
    days: list[Day]
    """The last seven, today last."""
    ranking_seconds: float | None
    """The median of the last twenty, of the time that they were really in front of somebody."""
    demonstration_seconds: float | None
    daily_goal: int
    unfinished: list[Unfinished]
    feedback: list[Review]
    feedback_unread: int


def progress_of(labeler: Person, *, now: datetime) -> Progress:
    """Eight queries, none of which reads more than the labeler's own week, drafts and demonstrations.

    A day begins at midnight on the clock of ``now``.
    """
    rankings = Ranking.objects.of_labelers().filter(labeler=labeler, revision=1)
    demonstrations = Demonstration.objects.for_labeler(labeler)
    unread = unread_feedback(labeler)
    return Progress(
        days=_days(rankings, demonstrations, now),
        ranking_seconds=_pace(rankings),
        demonstration_seconds=_pace(demonstrations.filter(submitted_at__isnull=False)),
        daily_goal=_daily_goal(labeler),
        unfinished=[*_written(demonstrations), *_ranked(labeler)],
        feedback=list(unread[:MOST_LISTED]),
        feedback_unread=unread.count(),
    )


def _days(rankings: QuerySet[Ranking], demonstrations: QuerySet[Demonstration], now: datetime) -> list[Day]:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    # Subtracted on the wall clock: a day on which clocks are changed is a day too.
    midnights = [midnight - timedelta(days=days) for days in range(DAYS - 1, -1, -1)]
    ranked, written = _by_day(rankings, midnights), _by_day(demonstrations, midnights)
    return [
        Day(date=begin.date(), rankings=ranked[place], demonstrations=written[place])
        for place, begin in enumerate(midnights)
    ]


def _by_day(rows: QuerySet[Any], midnights: Sequence[datetime]) -> list[int]:
    counts = {
        f"day_{place}": Count(
            "pk", filter=Q(submitted_at__gte=begin, submitted_at__lt=begin + timedelta(days=1))
        )
        for place, begin in enumerate(midnights)
    }
    counted = rows.filter(submitted_at__gte=midnights[0]).aggregate(**counts)
    return [counted[name] for name in counts]


def _pace(rows: QuerySet[Any]) -> float | None:
    latest = list(rows.order_by("-submitted_at").values_list("seconds_spent", flat=True)[:LATEST])
    return median(latest) if latest else None


def _daily_goal(labeler: Person) -> int:
    goal = labeler.preferences.get("daily_goal")
    return goal if isinstance(goal, int) and goal > 0 else 0


def _written(demonstrations: DemonstrationQuerySet) -> list[Unfinished]:
    saved = demonstrations.wanted().filter(revision__gt=0).select_related("prompt__campaign")
    return [
        Unfinished(kind="demonstration", campaign=draft.prompt.campaign, prompt=draft.prompt, saved_at=None)
        for draft in saved.order_by("-pk")[:MOST_LISTED]
        if any(turn["content"].strip() for turn in draft.turns)
    ]


def _ranked(labeler: Person) -> list[Unfinished]:
    held = Q(assignment__status=Assignment.Status.CLAIMED, assignment__labeler=labeler)
    begun = RankingDraft.objects.filter(held, labeler=labeler)
    in_full = begun.select_related("assignment__campaign", "assignment__candidate_set__prompt")
    return [
        Unfinished(
            kind="ranking",
            campaign=draft.assignment.campaign,
            prompt=draft.assignment.candidate_set.prompt,
            saved_at=draft.saved_at,
        )
        for draft in in_full.order_by("-saved_at")[:MOST_LISTED]
        # A reviewer's own lies on another screen.
        if draft.assignment.purpose != Assignment.Purpose.ADJUDICATION
    ]
