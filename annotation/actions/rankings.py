from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from annotation.actions.assignments import lease_lost
from annotation.actions.campaigns import current_guideline
from annotation.actions.consents import agreed_text
from annotation.actions.pauses import look_at_labeler
from annotation.actions.quality import look_again
from annotation.errors import (
    AlreadySubmitted,
    DuplicateCompletion,
    IdempotencyConflict,
    IncompleteRanking,
    UnknownCompletion,
)
from annotation.messages import check_text
from annotation.models import Assignment, Person, Ranking

Tiers = Sequence[Sequence[int]]


class Judgement(TypedDict):
    tiers: list[list[int]]
    unacceptable: list[int]
    cannot_judge: str


def submit_ranking(
    *,
    assignment: Assignment,
    labeler: Person,
    tiers: Tiers,
    unacceptable: Sequence[int],
    cannot_judge: str,
    seconds_spent: float,
    idempotency_key: UUID,
    now: datetime,
) -> tuple[Ranking, bool]:
    """Store a labeler's judgement of the candidates. Returns it, and whether it is new.

    The same key with the same judgement gives the ranking that is already stored.

    :raises IncompleteRanking: a candidate is neither ranked nor unacceptable.
    :raises DuplicateCompletion: a candidate is named twice.
    :raises UnknownCompletion: a completion is named that is no candidate here.
    :raises LeaseLost: the assignment is no longer this labeler's to submit.
    :raises ConsentNeeded: this labeler withdrew their consent.
    :raises AlreadySubmitted: this labeler already submitted it with another key.
    :raises IdempotencyConflict: the key came before with another judgement.
    """
    judgement: Judgement = {
        "tiers": [list(tier) for tier in tiers if tier],
        "unacceptable": list(unacceptable),
        "cannot_judge": check_text(cannot_judge).strip()[:500],
    }
    if known := Ranking.objects.filter(labeler=labeler, idempotency_key=idempotency_key).first():
        return _same(known, assignment, judgement), False
    _check_partition(assignment, judgement)
    try:
        with transaction.atomic():
            if not assignment.submit(labeler):
                raise _refusal(assignment, labeler)
            ranking = Ranking.objects.create(
                assignment=assignment,
                labeler=labeler,
                guideline=current_guideline(assignment.campaign),
                consent=agreed_text(assignment.campaign, labeler),
                shown_order=assignment.shown_order,
                seconds_spent=seconds_spent,
                idempotency_key=idempotency_key,
                submitted_at=now,
                **judgement,
            )
    except IntegrityError:
        # The same submission, sent twice at the same moment: the other one was stored.
        known = Ranking.objects.get(labeler=labeler, idempotency_key=idempotency_key)
        return _same(known, assignment, judgement), False
    look_again(candidate_set=assignment.candidate_set, now=now)
    look_at_labeler(campaign=assignment.campaign, labeler=labeler, now=now)
    return ranking, True


def _same(known: Ranking, assignment: Assignment, judgement: Judgement) -> Ranking:
    stored = {name: getattr(known, name) for name in judgement}
    if known.assignment_id != assignment.pk or stored != judgement:
        raise IdempotencyConflict(_("This submission was already stored with another ranking."))
    return known


def _refusal(assignment: Assignment, labeler: Person) -> Exception:
    if Ranking.objects.filter(assignment=assignment, labeler=labeler).exists():
        return AlreadySubmitted(_("You already submitted this one."))
    return lease_lost()


def _check_partition(assignment: Assignment, judgement: Judgement) -> None:
    ranked = [completion_id for tier in judgement["tiers"] for completion_id in tier]
    named = ranked + judgement["unacceptable"]
    if judgement["cannot_judge"]:
        if named:
            raise IncompleteRanking(_("Either rank the responses or say why you cannot judge them."))
        return
    shown = set(assignment.candidate_set.completions.values_list("pk", flat=True))
    if len(named) != len(set(named)):
        raise DuplicateCompletion(_("A response is ranked twice."))
    if not set(named) <= shown:
        raise UnknownCompletion(_("A ranked response does not belong to this assignment."))
    if set(named) != shown:
        raise IncompleteRanking(_("Rank every response, or mark it as unacceptable."))
