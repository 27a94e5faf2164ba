"""Storing what a reader yields, in batches: one short transaction each, so that labelers hardly wait."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Protocol

from django.db import IntegrityError, transaction

from annotation.actions.checking import CheckedPrompt, check_item
from annotation.actions.landing import Landing
from annotation.errors import Refusal
from annotation.formats.items import UNREADABLE, ImportedPrompt, Items, Problem
from annotation.models import Campaign
from annotation.personal_data import Scan, scanner

BATCH_ROWS, BATCH_CHARACTERS = 200, 2_000_000
REST = 2.0
"""An import pauses after each batch, for so many times as long as it took: labelers come first."""
KEPT_PROBLEMS = 1000


@dataclass
class ImportReport:
    """What an import added, what was there already, and the lines it could not use (the first of them)."""

    added: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0

    def count(self, thing: str, is_new: bool) -> None:
        (self.added if is_new else self.unchanged)[thing] += 1

    def tell(self, problem: Problem) -> None:
        self.problem_count += 1
        # Whether the file was read to its end must be known, however many lines were wrong before.
        if len(self.problems) < KEPT_PROBLEMS or problem.code == UNREADABLE:
            self.problems.append(problem)

    def take(self, other: "ImportReport") -> None:
        self.added.update(other.added)
        self.unchanged.update(other.unchanged)
        for problem in other.problems:
            self.tell(problem)


class Follower(Protocol):
    def __call__(self, report: ImportReport, *, line: int) -> None:
        """Is told what a batch brought, and its last line, inside of the batch's transaction."""


def import_items(
    *,
    campaign: Campaign,
    items: Items,
    format_name: str,
    now: datetime,
    follow: Follower = lambda report, line: None,
) -> ImportReport:
    """Store what a reader yields. Each prompt lands whole or not at all; importing again adds nothing.

    :raises ScannerMissing: the campaign scans for personal data, and nothing that can is installed.
    """
    report = ImportReport()
    scan = scanner() if campaign.scans_for_personal_data else None
    for batch in _batches(items):
        began = time.monotonic()
        checked = [_checked(item, format_name, scan) for item in batch]
        report.take(_land(campaign, checked, now, partial(follow, line=batch[-1].line)))
        time.sleep(REST * (time.monotonic() - began))
    return report


def with_defaults(items: Items, **defaults: str) -> Items:
    """The same, with these for prompts that the file says nothing about."""
    for item in items:
        if isinstance(item, ImportedPrompt):
            absent = {name: value for name, value in defaults.items() if value and not getattr(item, name)}
            yield replace(item, **absent) if absent else item  # type: ignore[arg-type]
        else:
            yield item


def _checked(item: ImportedPrompt | Problem, format_name: str, scan: Scan | None) -> CheckedPrompt | Problem:
    if isinstance(item, Problem):
        return item
    try:
        checked = check_item(item, format_name)
    except Refusal as refusal:
        return Problem.of(item.line, refusal, item.file)
    return replace(checked, findings=scan(checked.messages)) if scan else checked


def _land(
    campaign: Campaign,
    checked: list[CheckedPrompt | Problem],
    now: datetime,
    follow: Callable[[ImportReport], None],
) -> ImportReport:
    def land() -> ImportReport:
        with transaction.atomic():
            report = ImportReport()
            # Two imports into one campaign take turns: neither adds what the other just did. Labelers, whose
            # rows only point to the campaign, do not wait for that.
            Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
            landing = Landing(campaign, [item for item in checked if isinstance(item, CheckedPrompt)], now)
            for item in checked:
                if isinstance(item, Problem):
                    report.tell(item)
                    continue
                try:
                    landing.add(item, report.count)
                except Refusal as refusal:
                    report.tell(Problem.of(item.line, refusal, item.file))
            landing.write()
            follow(report)
            return report

    try:
        return land()
    except IntegrityError:
        # Somebody other than an import added one of these prompts at this moment: now it is known.
        return land()


def _batches(items: Items) -> Iterator[list[ImportedPrompt | Problem]]:
    """Batches end where a line ends: whoever goes on after it has had all of it."""
    batch: list[ImportedPrompt | Problem] = []
    characters = 0
    for item in items:
        is_full = len(batch) >= BATCH_ROWS or characters > BATCH_CHARACTERS
        if is_full and item.line != batch[-1].line:
            yield batch
            batch, characters = [], 0
        batch.append(item)
        characters += _size(item)
    if batch:
        yield batch


def _size(item: ImportedPrompt | Problem) -> int:
    if isinstance(item, Problem):
        return len(item.detail)
    turns = [turn for one in item.demonstrations for turn in one.turns]
    # What is no text is refused later on.
    contents = [str(turn.get("content", "")) for turn in [*item.messages, *turns] if isinstance(turn, dict)]
    return sum(map(len, contents)) + sum(map(len, item.completions))
