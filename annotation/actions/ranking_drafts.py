"""Rankings under way, as the screen keeps them: opaque, and nobody's but their labeler's."""

import json
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from annotation.actions.assignments import lease_lost
from annotation.errors import AlreadySubmitted, BadDraft, StaleRevision
from annotation.messages import check_text
from annotation.models import Assignment, LapsedLease, Person, RankingDraft

MOST_CHARACTERS = 500_000
MOST_DEPTH = 12


def save_ranking_draft(
    *, assignment: Assignment, labeler: Person, content: Any, revision: int, now: datetime
) -> RankingDraft:
    """Keep what the screen keeps. ``revision`` is the one it goes on from; 0 where it knows of none.

    :raises StaleRevision: it was saved elsewhere since.
    :raises BadInput: the content cannot be stored.
    :raises AlreadySubmitted: this labeler has handed in what they think of these candidates.
    :raises LeaseLost: this labeler never held the assignment.
    """
    check_content(content)
    try:
        with transaction.atomic():
            _require_unfinished(assignment, labeler)
            if revision == 0:
                return RankingDraft.objects.create(
                    assignment=assignment, labeler=labeler, content=content, saved_at=now
                )
            seen = RankingDraft.objects.filter(assignment=assignment, labeler=labeler, revision=revision)
            if seen.update(content=content, revision=revision + 1, saved_at=now):
                return RankingDraft.objects.get(assignment=assignment, labeler=labeler)
    except IntegrityError:
        # Two first saves at once: the other one was quicker.
        pass
    raise StaleRevision(_("This ranking was changed in another tab or on another device."))


def ranking_draft(*, assignment: Assignment, labeler: Person) -> RankingDraft | None:
    return RankingDraft.objects.filter(assignment=assignment, labeler=labeler).first()


def drafts_of(labeler: Person, assignments: Collection[Assignment]) -> dict[int, RankingDraft]:
    """What the labeler began of these, by assignment."""
    if not assignments:
        return {}
    begun = RankingDraft.objects.filter(labeler=labeler, assignment__in=assignments)
    return {draft.assignment_id: draft for draft in begun}


def drop_ranking_draft(*, assignment: Assignment, labeler: Person) -> None:
    RankingDraft.objects.filter(assignment=assignment, labeler=labeler).delete()


def check_content(content: Any) -> None:
    """Nothing, if every database can hold it and it is no larger than an honest draft.

    :raises BadInput: with the code that names what is wrong.
    """
    # Before anything that would go down into it.
    texts = list(_texts(content))
    if len(json.dumps(content, ensure_ascii=False)) > MOST_CHARACTERS:
        raise BadDraft(_("This draft is too large to be saved at the server."))
    for text in texts:
        check_text(text)


def _texts(value: Any, depth: int = 1) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    if not isinstance(value, dict | list):
        return
    if depth > MOST_DEPTH:
        raise BadDraft(_("This draft is nested too deeply."))
    if isinstance(value, dict):
        yield from value
        value = value.values()
    for inner in value:
        yield from _texts(inner, depth + 1)


def _require_unfinished(assignment: Assignment, labeler: Person) -> None:
    # Locked, so that no draft is saved behind the back of the ranking that takes it away.
    row = Assignment.objects.select_for_update().get(pk=assignment.pk)
    if row.labeler_id == labeler.pk:
        if row.status == Assignment.Status.SUBMITTED:
            raise AlreadySubmitted(_("You already submitted this one."))
        return
    # Whose time ran out may go on, and hand it in as an extra opinion.
    if not LapsedLease.objects.filter(assignment=assignment, labeler=labeler).exists():
        raise lease_lost()
