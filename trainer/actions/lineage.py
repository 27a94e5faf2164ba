"""From a checkpoint back to what people said, and from what somebody said on to every model it touched."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow.parquet as pq
from django.db.models import Q

from annotation.models import Demonstration, FeedbackUse, Ranking
from trainer.models import Checkpoint, Run, Snapshot

Judgement = Ranking | Demonstration | FeedbackUse


# --- Back


def runs_behind(checkpoint: Checkpoint) -> list[Run]:
    """Every run that it goes back to, the nearest first."""
    found: dict[int, Run] = {}
    waiting: list[Checkpoint | None] = [checkpoint]
    while waiting:
        model = waiting.pop(0)
        run = model.produced_by if model else None
        if run and run.pk not in found:
            found[run.pk] = run
            waiting += [run.given("base"), run.given("reward")]
    return list(found.values())


# --- On


@dataclass(frozen=True)
class Touched:
    snapshots: list[Snapshot] = field(default_factory=list)
    not_looked_at: int = 0
    """Snapshots whose file is not here: they may hold it as well."""
    runs: list[Run] = field(default_factory=list)
    """That read such a snapshot, or build on a model that did."""
    checkpoints: list[Checkpoint] = field(default_factory=list)


def touched_by(judgement: Judgement) -> Touched:
    place = _place(judgement)
    # None from before it was there can hold it.
    asked = Snapshot.objects.filter(
        campaign=place.campaign, kind=place.kind, created_at__gte=place.since
    ).order_by("pk")
    here = [snapshot for snapshot in asked if snapshot.file.exists()]
    holding = [snapshot for snapshot in here if _holds(snapshot, place.keys)]
    runs, checkpoints = _downstream(holding)
    return Touched(
        snapshots=holding,
        not_looked_at=len(asked) - len(here),
        runs=list(Run.objects.filter(pk__in=runs).order_by("pk")),
        checkpoints=list(Checkpoint.objects.filter(pk__in=checkpoints).order_by("pk")),
    )


def _downstream(snapshots: list[Snapshot]) -> tuple[set[int], set[int]]:
    """Runs and checkpoints: a few queries for each generation, however many there are in it."""
    checkpoints: set[int] = set()
    runs = fresh = set(Run.objects.filter(snapshot__in=snapshots).values_list("pk", flat=True))
    while fresh:
        made = Checkpoint.objects.filter(Q(produced_by__in=fresh) | Q(made_by__in=fresh))
        new = set(made.values_list("pk", flat=True)) - checkpoints
        checkpoints |= new
        built = Q(base__in=new) | Q(reward__in=new) | Q(base_run__in=fresh) | Q(reward_run__in=fresh)
        fresh = set(Run.objects.filter(built).values_list("pk", flat=True)) - runs
        runs = runs | fresh
    return runs, checkpoints


@dataclass(frozen=True)
class Place:
    """Where a judgement stands in the files of snapshots."""

    campaign: int
    kind: Snapshot.Kind
    since: datetime
    keys: dict[str, int]
    """By column. Files are in the order of the first, so a reader passes over all other groups of rows."""


def _place(judgement: Judgement) -> Place:
    match judgement:
        case Ranking():
            ranked = judgement.assignment
            keys = {"candidate_set_id": ranked.candidate_set_id, "ranking_id": judgement.pk}
            since = judgement.submitted_at
            return Place(ranked.campaign_id, Snapshot.Kind.RANKINGS, since, keys)
        case Demonstration():
            since = judgement.submitted_at or judgement.created_at
            keys = {"demonstration_id": judgement.pk}
            return Place(judgement.prompt.campaign_id, Snapshot.Kind.DEMONSTRATIONS, since, keys)
    if judgement.ranking is not None:
        return _place(judgement.ranking)
    if judgement.demonstration is not None:
        return _place(judgement.demonstration)
    keys = {"feedback_id": judgement.pk}
    return Place(judgement.campaign_id, Snapshot.Kind.FEEDBACK, judgement.made_at, keys)


def _holds(snapshot: Snapshot, keys: dict[str, int]) -> bool:
    filters = [(column, "=", number) for column, number in keys.items()]
    return bool(pq.read_table(snapshot.file, columns=list(keys), filters=filters).num_rows)


# --- The rows of a snapshot, without their texts


ABOUT = (
    "ranking_id",
    "demonstration_id",
    "feedback_id",
    "prompt_id",
    "split",
    "guideline_version",
    "consent_version",
    "purpose",
    "source",
    "weight",
    "submitted_at",
)

Row = dict[str, object]


def rows_of(snapshot: Snapshot, start: int, count: int) -> list[Row]:
    """Some rows of a snapshot; only the groups of rows that they stand in are read."""
    with pq.ParquetFile(snapshot.file) as file:
        columns = _columns(file)
        found: list[Row] = []
        first = 0
        for group in range(file.num_row_groups):
            size = file.metadata.row_group(group).num_rows
            low, high = max(start - first, 0), min(start + count - first, size)
            if low < high:
                found += file.read_row_group(group, columns=columns).slice(low, high - low).to_pylist()
            first += size
    return found


def all_rows_of(snapshot: Snapshot) -> Iterator[Row]:
    """A few thousand in memory at a time."""
    with pq.ParquetFile(snapshot.file) as file:
        for batch in file.iter_batches(5_000, columns=_columns(file)):
            yield from batch.to_pylist()


def _columns(file: pq.ParquetFile) -> list[str]:
    """Files from before a column do without."""
    return [name for name in ABOUT if name in file.schema_arrow.names]
