"""What is different between two snapshots, on a page."""

from collections import Counter
from typing import Any

from django.utils.translation import gettext as _

from annotation.models import Prompt
from trainer.actions.snapshot_diffs import SnapshotDiff, diff_snapshots
from trainer.admin.base import Facts
from trainer.errors import SnapshotsDoNotCompare
from trainer.models import Snapshot

MOST_ROWS = 200_000
MOST_LINES = 20


def compared_here(*, old: Snapshot, new: Snapshot) -> SnapshotDiff:
    """:raises SnapshotsDoNotCompare: they do not fit together, or are too large to wait for in a browser."""
    if max(old.rows, new.rows) > MOST_ROWS:
        raise SnapshotsDoNotCompare(
            _("They are too large to compare on a page; run manage.py diff_snapshots %(old)d %(new)d.")
            % {"old": old.pk, "new": new.pk}
        )
    return diff_snapshots(old=old, new=new)


def told(diff: SnapshotDiff) -> dict[str, Any]:
    """For the template."""
    labelers = diff.labelers
    return {
        "facts": [
            (_("Unchanged"), diff.unchanged),
            (_("Added"), diff.added),
            (_("Removed"), diff.removed),
            (_("Changed"), diff.changed),
            (_("Of these, erased or anonymised"), diff.tombstoned),
            (_("Prompts that these rows belong to"), len(diff.prompts)),
        ],
        "tables": [
            (_("What changed"), _lines(diff.columns)),
            (_("Prompts with most of them"), _prompts(diff.prompts)),
            (_("Added, by person"), _lines(labelers["added"])),
            (_("Removed, by person"), _lines(labelers["removed"])),
            (_("Changed, by person"), _lines(labelers["changed"])),
        ],
    }


def _lines(counts: Counter[Any]) -> Facts:
    return list(counts.most_common(MOST_LINES))


def _prompts(counts: Counter[int]) -> Facts:
    most = counts.most_common(MOST_LINES)
    prompts = Prompt.objects.in_bulk([pk for pk, _count in most])
    return [(prompts.get(pk, f"#{pk}"), count) for pk, count in most]
