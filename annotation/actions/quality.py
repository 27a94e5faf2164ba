"""What finished judgements lead to: a consensus, one more opinion, or a reviewer's decision.

Measuring a whole campaign is ``quality_reports``, which the web does not load.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from celery import current_app
from django.db import transaction
from django.db.models import Count, F, Q
from django.utils.translation import gettext as _

from annotation.actions.candidates import open_slots
from annotation.agreement import raw_agreement
from annotation.comparisons import Ballot, candidates_of, outcome_matrix
from annotation.consensus import Order, find_consensus
from annotation.doorbell import AT_ONCE
from annotation.errors import NobodyToMeasure
from annotation.estimates import Undefined
from annotation.models import Assignment, Campaign, CandidateSet, Consensus, QualityReport, Ranking

URGENT = 10_000
"""Added to the priority of slots whose sets labelers disagree on: more than researchers give."""
SETS_AT_ONCE = 500

logger = logging.getLogger(__name__)

_PURPOSE = Assignment.Purpose


def look_again(*, candidate_set: CandidateSet, now: datetime) -> Consensus | None:
    """Bring the consensus up to date once everybody asked has ranked the candidates, and ask on where they
    disagree too much: another labeler, then a reviewer. Returns None while there is no consensus.

    Surplus and gold rankings count for nothing here, and an adjudication overrules all others.
    """
    slots = candidate_set.assignments.filter(purpose=_PURPOSE.OVERLAP)
    if slots.exclude(status=Assignment.Status.SUBMITTED).exists():
        return None
    with transaction.atomic():
        # Whoever finishes at the same moment waits here, and then sees what was done.
        CandidateSet.objects.select_for_update().get(pk=candidate_set.pk)
        cast = _ballots([candidate_set.pk], _PURPOSE.OVERLAP).get(candidate_set.pk, [])
        if not cast:
            return None
        campaign = candidate_set.prompt.campaign
        consensus = _store_consensus(candidate_set, campaign, cast, now)
        if not consensus.is_adjudicated and _is_too_low(consensus.agreement, campaign):
            _ask_on(candidate_set, campaign)
        return consensus


def prioritize_disagreements(*, campaign: Campaign) -> int:
    """Move open slots ahead whose sets labelers disagree on so far, and back those that agree by now.

    Returns how many moved. Doing it twice moves nothing twice.
    """
    waiting = Assignment.objects.open().filter(campaign=campaign, purpose=_PURPOSE.OVERLAP)
    moved = 0
    for disagreeing, agreeing in _waiting_sets(campaign):
        ahead = waiting.filter(candidate_set__in=disagreeing, priority__lt=URGENT)
        back = waiting.filter(candidate_set__in=agreeing, priority__gte=URGENT)
        moved += ahead.update(priority=F("priority") + URGENT)
        moved += back.update(priority=F("priority") - URGENT)
    return moved


def ask_for_report(*, campaign: Campaign) -> None:
    """Have a worker measure the campaign: no page waits for it.

    :raises NobodyToMeasure: the broker is away.
    """
    try:
        with current_app.connection_for_write(transport_options=AT_ONCE) as connection:
            current_app.send_task(
                "annotation.tasks.make_quality_report",
                kwargs={"campaign_id": campaign.pk},
                connection=connection,
                retry=False,
            )
    except Exception as error:  # whatever the transport raises
        logger.warning("The broker did not take the wish for a quality report: %s", error)
        raise NobodyToMeasure(_("No worker can be reached now. Try again later.")) from error


def latest_report(*, campaign: Campaign) -> QualityReport | None:
    return QualityReport.objects.filter(campaign=campaign).order_by("-made_at", "-pk").first()


def _ballots(candidate_sets: Sequence[int], purpose: Assignment.Purpose) -> dict[int, list[Ballot]]:
    """What counts of the rankings of each candidate set: the latest revisions of those that could judge."""
    counted = Ranking.objects.current().filter(
        assignment__candidate_set__in=candidate_sets,
        assignment__purpose=purpose,
        assignment__status=Assignment.Status.SUBMITTED,
        cannot_judge="",
    )
    rows = counted.order_by("assignment__candidate_set", "pk")
    ranked = rows.values_list("assignment__candidate_set", "tiers", "unacceptable")
    return {
        pk: [Ballot(tiers, unacceptable) for _pk, tiers, unacceptable in group]
        for pk, group in groupby(ranked, key=lambda row: row[0])
    }


def _store_consensus(
    candidate_set: CandidateSet, campaign: Campaign, cast: Sequence[Ballot], now: datetime
) -> Consensus:
    found = find_consensus(cast, campaign.consensus_method)
    decided = _ballots([candidate_set.pk], _PURPOSE.ADJUDICATION).get(candidate_set.pk)
    if decided:
        found = Order(
            [list(tier) for tier in decided[-1].tiers], list(decided[-1].unacceptable), found.scores
        )
    consensus, _is_new = Consensus.objects.update_or_create(
        candidate_set=candidate_set,
        defaults={
            "campaign": campaign,
            "method": campaign.consensus_method,
            "tiers": found.tiers,
            "unacceptable": found.unacceptable,
            "scores": {str(pk): score.as_json() for pk, score in found.scores.items()},
            "agreement": _agreement(cast),
            "rankings": len(cast),
            "is_adjudicated": bool(decided),
            "made_at": now,
        },
    )
    return consensus


def _agreement(cast: Sequence[Ballot]) -> float | None:
    agreement = raw_agreement(outcome_matrix(cast, candidates_of(cast)))
    return None if isinstance(agreement, Undefined) else agreement


def _is_too_low(agreement: float | None, campaign: Campaign) -> bool:
    return agreement is not None and 100 * agreement < campaign.wanted_agreement


def _ask_on(candidate_set: CandidateSet, campaign: Campaign) -> None:
    turns = candidate_set.assignments.values_list("purpose", "slot", "status", "priority")
    slots = [turn for turn in turns if turn[0] == _PURPOSE.OVERLAP]
    if any(status != Assignment.Status.SUBMITTED for _purpose, _slot, status, _priority in slots):
        return  # another labeler is being asked
    last = max(slot or 0 for _purpose, slot, _status, _priority in slots)
    priority = max(priority for _purpose, _slot, _status, priority in slots)
    if len(slots) < campaign.overlap + campaign.extra_overlap:
        open_slots(candidate_set, [last + 1], priority=priority)
    elif campaign.reviews_disagreements and _PURPOSE.ADJUDICATION not in {turn[0] for turn in turns}:
        Assignment.objects.create(
            candidate_set=candidate_set,
            campaign=campaign,
            purpose=_PURPOSE.ADJUDICATION,
            language=candidate_set.prompt.language,
            skill=candidate_set.prompt.skill,
            priority=priority,
        )


def _waiting_sets(campaign: Campaign) -> Iterator[tuple[list[int], list[int]]]:
    """Sets with an open slot and two rankings or more, some at a time: those whose rankings disagree too
    much, and the others."""
    ranked = Count(
        "assignments", filter=Q(assignments__purpose=_PURPOSE.OVERLAP, assignments__status="SUBMITTED")
    )
    opened = Count("assignments", filter=Q(assignments__purpose=_PURPOSE.OVERLAP, assignments__status="OPEN"))
    sets = CandidateSet.objects.filter(assignments__campaign=campaign).annotate(ranked=ranked, opened=opened)
    waiting = sets.filter(ranked__gte=2, opened__gte=1).order_by("pk").values_list("pk", flat=True)
    last = 0
    while chunk := list(waiting.filter(pk__gt=last)[:SETS_AT_ONCE]):
        cast = _ballots(chunk, _PURPOSE.OVERLAP)
        disagreeing = [pk for pk in chunk if _is_too_low(_agreement(cast.get(pk, [])), campaign)]
        yield disagreeing, sorted(set(chunk) - set(disagreeing))
        last = chunk[-1]
