"""What is different between two snapshots."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from annotation.models import Tombstone
from trainer.errors import SnapshotFileMissing, SnapshotsDoNotCompare
from trainer.handoff.records import (
    RECORDS,
    DemonstrationRecord,
    FeedbackRecord,
    PromptRecord,
    RankingRecord,
    Record,
    stream_records,
)
from trainer.models import Snapshot

Place = tuple[int, int]
"""Where a record stands in its file: these only grow."""


@dataclass
class SnapshotDiff:
    """Counts; rows are the same if they have the same number."""

    unchanged: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    tombstoned: int = 0
    """Of the removed and changed ones: what was erased, or is no longer tied to a person."""
    columns: Counter[str] = field(default_factory=Counter)
    """What is different in the changed ones."""
    prompts: Counter[int] = field(default_factory=Counter)
    """Rows that are not the same, by prompt."""
    labelers: dict[str, Counter[str]] = field(
        default_factory=lambda: {"added": Counter(), "removed": Counter(), "changed": Counter()}
    )
    """By pseudonym."""

    def note(self, what: str, record: Record) -> None:
        setattr(self, what, getattr(self, what) + 1)
        self.prompts[record.prompt_id] += 1
        if not isinstance(record, PromptRecord):
            self.labelers[what][record.labeler] += 1


def diff_snapshots(*, old: Snapshot, new: Snapshot) -> SnapshotDiff:
    """Reads both from front to back, side by side, in constant memory.

    :raises SnapshotsDoNotCompare: they hold different kinds of rows, or one has its rows in another order.
    :raises SnapshotFileMissing: a snapshot's file is gone.
    """
    if old.kind != new.kind or old.campaign_id != new.campaign_id:
        raise SnapshotsDoNotCompare(_("Only snapshots of one campaign and of the same kind can be compared."))
    diff, stones = SnapshotDiff(), _stones(new)
    for before, after in _side_by_side(_in_order(old), _in_order(new)):
        if before == after:
            diff.unchanged += 1
        elif before is None:
            diff.note("added", after)
        elif after is None:
            diff.note("removed", before)
            diff.tombstoned += _number(before) in stones
        else:
            diff.note("changed", after)
            diff.tombstoned += _number(after) in stones
            diff.columns.update(_differing(before, after))
    return diff


def _side_by_side(old: Iterator[Record], new: Iterator[Record]) -> Iterator[tuple[Any, Any]]:
    before, after = next(old, None), next(new, None)
    while before is not None or after is not None:
        if after is None or (before is not None and _place(before) < _place(after)):
            yield before, None
            before = next(old, None)
        elif before is None or _place(after) < _place(before):
            yield None, after
            after = next(new, None)
        else:
            yield before, after
            before, after = next(old, None), next(new, None)


def _in_order(snapshot: Snapshot) -> Iterator[Record]:
    if not snapshot.file.exists():
        raise SnapshotFileMissing(_("The file of snapshot %(id)d is gone.") % {"id": snapshot.pk})
    last: Place = (0, 0)
    for record in stream_records(snapshot.file, RECORDS[snapshot.kind]):  # type: ignore[type-var]
        if _place(record) <= last:
            raise SnapshotsDoNotCompare(
                _("Snapshot %(id)d is from before rows were frozen in order; freeze it anew to compare it.")
                % {"id": snapshot.pk}
            )
        last = _place(record)
        yield record


def _place(record: Record) -> Place:
    return (record.candidate_set_id if isinstance(record, RankingRecord) else 0, _number(record))


def _number(record: Record) -> int:
    match record:
        case RankingRecord():
            return record.ranking_id
        case DemonstrationRecord():
            return record.demonstration_id
        case FeedbackRecord():
            return record.feedback_id
    return record.prompt_id


def _differing(before: Record, after: Record) -> list[str]:
    return [name for name, value in vars(before).items() if value != getattr(after, name)]


def _stones(snapshot: Snapshot) -> set[int]:
    told = snapshot.manifest.get("tombstones", {})
    return {number for mode in Tombstone.Mode.values for number in told.get(mode, [])}
