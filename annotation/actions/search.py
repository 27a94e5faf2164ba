"""What a labeler may be handed next: a walk along an index, whose cost does not grow with the campaign.

Open slots stand in one order, the highest priority first and then the oldest. A labeler's search reads a few
dozens of them at a time and leaves out what is not for them. Two things could make that walk long:

- Languages and skills. So it walks one lane of the matching index for each language and skill that they have
  and merges these: what is for others is never read.
- What they ranked themselves and others did not yet. So a search that passed over much leaves a bookmark, and
  the next one goes on from there. Meanwhile a slot before the bookmark may have been returned, released or
  put first. The first page is therefore always read from the very beginning, and a bookmark counts for
  ``BOOKMARK_KEPT`` only (``LOOKED_AGAIN`` when nothing was found behind it): whatever happened is seen by
  then, and nobody has to say that it did. Labelers without a bookmark see it at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import chain, islice
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from annotation.models import (
    Assignment,
    Bookmark,
    Campaign,
    CandidateSet,
    Demonstration,
    Person,
    Prompt,
    Skip,
)
from annotation.models.assignments import AssignmentQuerySet

FIRST_PAGE, LARGEST_PAGE = 32, 1024
BOOKMARK_KEPT = timedelta(minutes=10)
LOOKED_AGAIN = timedelta(minutes=1)


class Slot(NamedTuple):
    priority: int
    pk: int
    candidate_set: int


@dataclass(frozen=True, kw_only=True)
class Search:
    """The open slots of one purpose in a campaign, as one labeler sees them."""

    campaign: Campaign
    labeler: Person
    purpose: str

    def claimable(self, now: datetime) -> Iterator[list[Slot]]:
        """What the labeler may have, in the order to hand out, page by page.

        Of one candidate set they get one slot, though several may be offered.
        """
        lanes = self._lanes()
        bookmark = Bookmark.objects.filter(**self._owner).first()
        if bookmark is None or bookmark.started_at <= now - BOOKMARK_KEPT:
            yield from self._walk(lanes, None, now)
            return
        first = list(islice(_merged(lanes, None), FIRST_PAGE))
        head = self._without_theirs(first)
        if head:
            yield head
        # The first page may reach beyond the bookmark.
        reached = max([Slot(bookmark.priority, bookmark.assignment_id, 0), *first[-1:]], key=_place)
        behind = self._walk(lanes, reached, bookmark.started_at)
        if (found := next(behind, None)) is not None:
            yield from chain([found], behind)
        elif not head and bookmark.started_at <= now - LOOKED_AGAIN:
            yield from self._walk(lanes, None, now)

    def _walk(
        self, lanes: list[AssignmentQuerySet], after: Slot | None, started_at: datetime
    ) -> Iterator[list[Slot]]:
        """What is for them behind ``after``; a bookmark stays where they had to pass over much."""
        passed: list[Slot] = []
        pages = _pages(_merged(lanes, after))
        for page in pages:
            mine = self._without_theirs(page)
            passed += page[: page.index(mine[0])] if mine else page
            if mine:
                self._leave_bookmark(passed, started_at)
                yield mine
                break
        else:
            self._leave_bookmark(passed, started_at)
        yield from filter(None, map(self._without_theirs, pages))

    def _without_theirs(self, page: list[Slot]) -> list[Slot]:
        barred = self._barred({slot.candidate_set for slot in page})
        return [slot for slot in page if slot.candidate_set not in barred]

    def _barred(self, candidate_sets: set[int]) -> set[int]:
        """Those that the labeler had, skipped, wrote for or was shown one of, and those that nobody may see
        yet."""
        this = OuterRef("pk")
        had = Assignment.objects.for_labeler(self.labeler).filter(candidate_set=this)
        skipped = Skip.objects.filter(labeler=self.labeler, candidate_set=this)
        wrote = CandidateSet.authors.through.objects.filter(person=self.labeler, candidateset=this)
        written = Demonstration.objects.for_labeler(self.labeler).filter(prompt=OuterRef("prompt"))
        barred = (
            Q(Exists(had))
            | Q(Exists(skipped))
            | Q(Exists(wrote))
            | Q(Exists(written.with_suggestion()))
            | Q(prompt__author=self.labeler)
            | ~Q(prompt__status=Prompt.Status.READY)
        )
        named = CandidateSet.objects.filter(barred, pk__in=candidate_sets)
        return set(named.values_list("pk", flat=True))

    def _lanes(self) -> list[AssignmentQuerySet]:
        waiting = Assignment.objects.open().filter(campaign=self.campaign, purpose=self.purpose)
        languages, skills = set(self.labeler.languages), {"", *self.labeler.skills}
        if not languages:
            languages, asks_for_skills = _languages(self.campaign, self.purpose)
            if not asks_for_skills:
                return [waiting]
        return [
            waiting.filter(language=language, skill=skill)
            # Where nobody said what language it is, anybody may look.
            for language in sorted({"", *languages})
            for skill in sorted(skills)
        ]

    @property
    def _owner(self) -> dict[str, Any]:
        return {"labeler": self.labeler, "campaign": self.campaign, "purpose": self.purpose}

    def _leave_bookmark(self, passed: list[Slot], started_at: datetime) -> None:
        if len(passed) < FIRST_PAGE:
            return
        place = {"priority": passed[-1].priority, "assignment_id": passed[-1].pk, "started_at": started_at}
        Bookmark.objects.update_or_create(**self._owner, defaults=place)


def searches(campaign: Campaign, labeler: Person, purpose: str) -> list[Search]:
    """Where to look one after the other. Votes between models come first, since a promotion waits for them;
    to the labeler they are like everything else."""
    asked = Assignment.objects.open().filter(campaign=campaign, purpose=Assignment.Purpose.ARENA)
    has_arena = purpose == Assignment.Purpose.OVERLAP and asked.exists()
    purposes = [Assignment.Purpose.ARENA, purpose] if has_arena else [purpose]
    return [Search(campaign=campaign, labeler=labeler, purpose=one) for one in purposes]


def _place(slot: Slot) -> tuple[int, int]:
    """Smaller is handed out sooner."""
    return (-slot.priority, slot.pk)


def _pages(slots: Iterator[Slot]) -> Iterator[list[Slot]]:
    size = FIRST_PAGE
    while page := list(islice(slots, size)):
        yield page
        size = min(size * 2, LARGEST_PAGE)


def _merged(lanes: list[AssignmentQuerySet], after: Slot | None) -> Iterator[Slot]:
    return merge(*(_in_order(lane, after) for lane in lanes), key=_place)


def _in_order(lane: AssignmentQuerySet, after: Slot | None) -> Iterator[Slot]:
    size = FIRST_PAGE
    while page := _page(lane, after, size):
        yield from page
        if len(page) < size:
            return
        after = page[-1]
        size = min(size * 2, LARGEST_PAGE)


def _page(lane: AssignmentQuerySet, after: Slot | None, size: int) -> list[Slot]:
    rows = lane.values_list("priority", "pk", "candidate_set")
    if after is None:
        return [Slot(*row) for row in rows.order_by("-priority", "pk")[:size]]
    # In two steps: no database seeks to a place in an order that falls and then rises.
    level = list(rows.filter(priority=after.priority, pk__gt=after.pk).order_by("pk")[:size])
    if len(level) < size:
        below = rows.filter(priority__lt=after.priority).order_by("-priority", "pk")
        level += below[: size - len(level)]
    return [Slot(*row) for row in level]


def _languages(campaign: Campaign, purpose: str) -> tuple[set[str], bool]:
    """The languages of what is open, and whether any of it asks for a skill.

    Seeks from one language to the next, where DISTINCT would read every slot.
    """
    table, same = Assignment._meta.db_table, "campaign_id = %s AND purpose = %s AND status = 'OPEN'"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE found (language) AS (
                SELECT min(language) FROM {table} WHERE {same}
                UNION ALL
                SELECT (SELECT min(language) FROM {table} WHERE {same} AND language > found.language)
                FROM found WHERE found.language IS NOT NULL
            )
            SELECT language, (SELECT max(skill) FROM {table} WHERE {same} AND language = found.language)
            FROM found WHERE language IS NOT NULL
            """,
            (campaign.pk, purpose) * 3,
        )
        found = cursor.fetchall()
    return {language for language, _skill in found}, any(skill for _language, skill in found)
