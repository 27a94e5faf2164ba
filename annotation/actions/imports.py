from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction

from annotation.actions.candidates import add_candidate_set, candidates_digest
from annotation.actions.labelers import person_without_password
from annotation.actions.prompts import add_prompt
from annotation.errors import BadInput
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
        except BadInput as refusal:
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
        candidate_set, is_new = _candidate_set(prompt, item)
        report.count("candidate sets", is_new)
        if item.tiers and is_new:
            _store_ranking(candidate_set, item, author, now)
            report.count("rankings", True)
        elif item.tiers:
            report.count("rankings", False)
    if item.turns:
        report.count("demonstrations", _store_demonstration(prompt, item, author, now))


def _candidate_set(prompt: Prompt, item: ImportedPrompt) -> tuple[CandidateSet, bool]:
    known = CandidateSet.objects.filter(
        prompt=prompt, digest=candidates_digest(prompt, item.completions)
    ).first()
    return (known, False) if known else (add_candidate_set(prompt=prompt, texts=item.completions), True)


def _store_ranking(candidate_set: CandidateSet, item: ImportedPrompt, author: Person, now: datetime) -> None:
    # The file's judgement takes the first slot; where the campaign asks for more, people give the rest.
    assignment = candidate_set.assignments.get(slot=1)
    ids = list(candidate_set.completions.order_by("pk").values_list("pk", flat=True))
    Assignment.objects.filter(pk=assignment.pk).update(
        status=Assignment.Status.SUBMITTED, labeler=author, shown_order=ids
    )
    Ranking.objects.create(
        assignment=assignment,
        labeler=author,
        tiers=[[ids[position] for position in tier] for tier in item.tiers],
        shown_order=ids,
        seconds_spent=0,
        idempotency_key=uuid5(NAMESPACE_URL, f"rankwright:{candidate_set.pk}"),
        submitted_at=now,
    )


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
