from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from annotation.actions.candidates import add_candidate_set, candidates_digest
from annotation.actions.labelers import person_without_password
from annotation.actions.prompts import add_prompt
from annotation.errors import (
    DuplicateCompletion,
    IdempotencyConflict,
    IncompleteRanking,
    Refusal,
    UnknownCompletion,
)
from annotation.formats.items import ImportedPrompt, Items, Problem
from annotation.messages import check_turns
from annotation.models import (
    Assignment,
    Campaign,
    CandidateSet,
    Demonstration,
    Person,
    Prompt,
    Ranking,
)


@dataclass(frozen=True)
class ImportReport:
    """What an import added, what was there already, and the lines it could not use."""

    added: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)

    def count(self, thing: str, is_new: bool) -> None:
        (self.added if is_new else self.unchanged)[thing] += 1


def import_items(
    *,
    campaign: Campaign,
    items: Items,
    format_name: str,
    now: datetime,
    progress: Callable[[int], None] = lambda line: None,
) -> ImportReport:
    """Store what a reader yields. Each prompt lands whole or not at all; importing again adds nothing."""
    report = ImportReport()
    # Whoever judged in the file: one account that nobody can sign in to.
    author = person_without_password(f"import-{format_name}")
    for item in items:
        progress(item.line)
        if isinstance(item, Problem):
            report.problems.append(item)
            continue
        landed = ImportReport()
        try:
            with transaction.atomic():
                _import_prompt(campaign, item, author, now, landed)
        except Refusal as refusal:
            report.problems.append(Problem.of(item.line, refusal))
            continue
        report.added.update(landed.added)
        report.unchanged.update(landed.unchanged)
    return report


def _import_prompt(
    campaign: Campaign, item: ImportedPrompt, author: Person, now: datetime, report: ImportReport
) -> None:
    prompt, is_new = add_prompt(
        campaign=campaign,
        messages=item.messages,
        kind=item.kind,
        language=item.language,
        source=item.source,
    )
    report.count("prompts", is_new)
    if item.completions:
        _check_ranking(item)
        candidate_set, is_new = _candidate_set(prompt, item)
        report.count("candidate sets", is_new)
        if item.tiers:
            is_ranked = not is_new and _is_ranked(candidate_set, item, author)
            report.count("rankings", not is_ranked)
            if not is_ranked:
                _store_ranking(_file_slot(candidate_set, is_new=is_new), item, author, now)
    if item.turns:
        report.count("demonstrations", _store_demonstration(prompt, item, author, now))


def _check_ranking(item: ImportedPrompt) -> None:
    named = [position for tier in item.tiers for position in tier]
    if len(set(item.completions)) != len(item.completions):
        raise DuplicateCompletion(_("Two of the answers are the same text."))
    if len(set(named)) != len(named):
        raise DuplicateCompletion(_("The ranking names an answer twice."))
    if not set(named) <= set(range(len(item.completions))):
        raise UnknownCompletion(_("The ranking names an answer that is not there."))
    if item.tiers and len(named) != len(item.completions):
        raise IncompleteRanking(_("The ranking leaves an answer out."))


def _candidate_set(prompt: Prompt, item: ImportedPrompt) -> tuple[CandidateSet, bool]:
    known = CandidateSet.objects.filter(
        prompt=prompt, digest=candidates_digest(prompt, item.completions)
    ).first()
    return (known, False) if known else (add_candidate_set(prompt=prompt, texts=item.completions), True)


def _is_ranked(candidate_set: CandidateSet, item: ImportedPrompt, author: Person) -> bool:
    known = Ranking.objects.filter(assignment__candidate_set=candidate_set, labeler=author).first()
    if known is None:
        return False
    stored, wanted = (
        [sorted(tier) for tier in tiers] for tiers in (known.tiers, _ids(candidate_set, item)[1])
    )
    if stored != wanted:
        raise IdempotencyConflict(_("The same answers were already imported in another order."))
    return True


def _store_ranking(assignment: Assignment, item: ImportedPrompt, author: Person, now: datetime) -> None:
    candidate_set = assignment.candidate_set
    shown, tiers = _ids(candidate_set, item)
    assignment.status, assignment.labeler, assignment.shown_order = "SUBMITTED", author, shown
    assignment.save()
    Ranking.objects.create(
        assignment=assignment,
        labeler=author,
        tiers=tiers,
        shown_order=shown,
        seconds_spent=0,
        idempotency_key=uuid5(NAMESPACE_URL, f"rankwright:{candidate_set.pk}"),
        submitted_at=now,
    )


def _file_slot(candidate_set: CandidateSet, *, is_new: bool) -> Assignment:
    """The assignment that the file's judgement takes: the first; people give the rest.

    Slots of a set that was there already may be in people's hands, so that set gets one more.
    """
    if is_new:
        return candidate_set.assignments.get(slot=1)
    last = candidate_set.assignments.aggregate(last=Max("slot"))["last"] or 0
    return Assignment(
        candidate_set=candidate_set, campaign_id=candidate_set.prompt.campaign_id, slot=last + 1
    )


def _ids(candidate_set: CandidateSet, item: ImportedPrompt) -> tuple[list[int], list[list[int]]]:
    """The ids of the item's completions, as the file has them and as it ranks them."""
    by_text = dict(candidate_set.completions.values_list("text", "pk"))
    shown = [by_text[text] for text in item.completions]
    return shown, [[shown[position] for position in tier] for tier in item.tiers]


def _store_demonstration(prompt: Prompt, item: ImportedPrompt, author: Person, now: datetime) -> bool:
    _demonstration, is_new = Demonstration.objects.get_or_create(
        prompt=prompt,
        labeler=author,
        defaults={
            "turns": check_turns(item.turns),
            "status": Demonstration.Status.SUBMITTED,
            "submitted_at": now,
        },
    )
    return is_new
