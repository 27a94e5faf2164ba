"""Removing contributions, or keeping them without their person. A tombstone stays for each.

What is kept goes to accounts of nobody: the first that a candidate set keeps to the first account, the next
to the second. The same few accounts serve everybody who is forgotten, so two contributions of one account
need not be of one person.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import QuerySet

from annotation.actions.labelers import nobody
from annotation.models import Assignment, Consensus, Demonstration, Ranking, Tombstone

BATCH = 500
"""Rows in one transaction: nobody waits for the database longer than that takes."""

Row = TypeVar("Row", Assignment, Demonstration)
Forget = Callable[[Sequence[Row], datetime], None]


def in_batches(rows: "QuerySet[Row]", forget: "Forget[Row]", now: datetime) -> int:
    """``forget`` all rows, some at a time; one that was forgotten is no longer among them.

    Stopped in between, it goes on from there when it is called again.
    """
    forgotten = last = 0
    while batch := _forget_batch(rows.filter(pk__gt=last), forget, now):
        forgotten += len(batch)
        last = batch[-1].pk
    return forgotten


@transaction.atomic
def _forget_batch(rows: "QuerySet[Row]", forget: "Forget[Row]", now: datetime) -> list[Row]:
    # Locked, so that a second sweep does not take rows that by then are somebody else's.
    batch = list(rows.select_for_update(of=("self",)).order_by("pk")[:BATCH])
    if batch:
        forget(batch, now)
    return batch


def anonymise_rankings(assignments: Sequence[Assignment], now: datetime) -> None:
    """Tie finished turns and what was ranked in them to nobody."""
    _bury_rankings(assignments, Tombstone.Mode.ANONYMISED, now)
    kept = Assignment.objects.filter(labeler__erased_at__isnull=False)
    held = kept.filter(candidate_set__in={row.candidate_set_id for row in assignments})
    places = _places(assignments, "candidate_set_id", held.values_list("candidate_set", flat=True))
    for place, pks in places.items():
        holder = nobody(place, now=now)
        Assignment.objects.filter(pk__in=pks).update(labeler=holder)
        Ranking.objects.filter(assignment__in=pks).update(labeler=holder)


def remove_rankings(assignments: Sequence[Assignment], now: datetime) -> None:
    """Delete what was ranked, and ask again for what the campaign still wants."""
    _bury_rankings(assignments, Tombstone.Mode.REMOVED, now)
    turns = Assignment.objects.filter(pk__in=[row.pk for row in assignments])
    wanted = [Assignment.Purpose.OVERLAP, Assignment.Purpose.ADJUDICATION]
    # Made again when the set is complete again.
    Consensus.objects.filter(
        candidate_set__in={row.candidate_set_id for row in assignments if row.purpose in wanted}
    ).delete()
    Ranking.objects.filter(assignment__in=assignments).delete()
    turns.exclude(purpose__in=wanted).delete()
    turns.update(**Assignment.RETURNED)


def anonymise_demonstrations(demonstrations: Sequence[Demonstration], now: datetime) -> None:
    _bury_demonstrations(demonstrations, Tombstone.Mode.ANONYMISED, now)
    kept = Demonstration.objects.filter(labeler__erased_at__isnull=False)
    held = kept.filter(prompt__in={row.prompt_id for row in demonstrations})
    places = _places(demonstrations, "prompt_id", held.values_list("prompt", flat=True))
    for place, pks in places.items():
        Demonstration.objects.filter(pk__in=pks).update(labeler=nobody(place, now=now))


def remove_demonstrations(demonstrations: Sequence[Demonstration], now: datetime) -> None:
    """Delete them with what reviewers said of them; their prompts ask for others."""
    _bury_demonstrations(demonstrations, Tombstone.Mode.REMOVED, now)
    Demonstration.objects.filter(pk__in=[row.pk for row in demonstrations]).delete()


def _places(rows: Sequence[Row], shared: str, held: Iterable[int]) -> dict[int, list[int]]:
    """Which account of nobody takes which rows: one account holds one row of a set or prompt at most."""
    taken = Counter(held)
    places: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        owner = getattr(row, shared)
        taken[owner] += 1
        places[taken[owner]].append(row.pk)
    return places


def _bury_rankings(assignments: Sequence[Assignment], mode: str, now: datetime) -> None:
    rows = Ranking.objects.filter(assignment__in=assignments).values_list("pk", "assignment__campaign")
    bury(Tombstone.Kind.RANKING, rows, mode, now)


def _bury_demonstrations(demonstrations: Sequence[Demonstration], mode: str, now: datetime) -> None:
    handed_in = Demonstration.objects.filter(pk__in=[row.pk for row in demonstrations])
    rows = handed_in.exclude(status=Demonstration.Status.DRAFT).values_list("pk", "prompt__campaign")
    bury(Tombstone.Kind.DEMONSTRATION, rows, mode, now)


def bury(kind: str, rows: Iterable[tuple[Any, Any]], mode: str, now: datetime) -> None:
    """A tombstone for each (number, campaign)."""
    Tombstone.objects.bulk_create(
        [
            Tombstone(campaign_id=campaign, kind=kind, row=row, mode=mode, erased_at=now)
            for row, campaign in rows
        ],
        ignore_conflicts=True,
    )
