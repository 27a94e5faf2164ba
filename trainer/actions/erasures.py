"""What frozen snapshots still hold of rows that were erased since, and the way to be rid of it."""

import shutil
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
from django.conf import settings
from django.utils.translation import gettext as _

from annotation.models import Tombstone
from trainer.errors import SnapshotInUse
from trainer.handoff.rundir import digest_of_file
from trainer.models import Rehearsal, Snapshot

# What a kind of snapshot calls the number that a contribution had, and what a tombstone calls the kind.
_COLUMNS = {
    Snapshot.Kind.RANKINGS: ("ranking_id", Tombstone.Kind.RANKING),
    Snapshot.Kind.DEMONSTRATIONS: ("demonstration_id", Tombstone.Kind.DEMONSTRATION),
    Snapshot.Kind.FEEDBACK: ("feedback_id", Tombstone.Kind.FEEDBACK),
}


def erased_rows(snapshot: Snapshot) -> Counter[str]:
    """How many of the snapshot's rows were removed, or anonymised, after it was frozen."""
    if snapshot.kind not in _COLUMNS or not snapshot.file.exists():
        return Counter()
    column, kind = _COLUMNS[Snapshot.Kind(snapshot.kind)]
    since = Tombstone.objects.filter(
        campaign=snapshot.campaign_id, kind=kind, erased_at__gt=snapshot.created_at
    )
    modes: dict[int, str] = dict(since.values_list("row", "mode"))
    if not modes:
        return Counter()
    return Counter(
        modes[row]
        for batch in pq.ParquetFile(snapshot.file).iter_batches(columns=[column])
        for row in batch.column(0).to_pylist()
        if row in modes
    )


def copies_of(snapshot: Snapshot) -> list[Path]:
    """Where on this machine the snapshot's rows are: its folder, its exports', and files that runs read."""
    folders = [snapshot.folder, *(export.folder for export in snapshot.exports.order_by("pk"))]
    # Found by what is in them: a reward model's run reads the demonstrations behind its base model too.
    read = sorted(Path(settings.RUNS_ROOT).glob(f"*/attempt-*/data/{snapshot.file.name}"))
    return [
        *(folder for folder in folders if folder.exists()),
        *(file for file in read if digest_of_file(file) == snapshot.digest),
    ]


def delete_rows(snapshot: Snapshot) -> list[Path]:
    """Delete every copy of the snapshot's rows on this machine, and return where they were.

    That there was such a snapshot, its digest and its counts stay: models were trained on it.

    :raises SnapshotInUse: a run that is not finished reads it.
    """
    if snapshot.runs.unfinished().exists():
        raise SnapshotInUse(_("A run that is not finished reads this snapshot. Cancel it or wait for it."))
    # A first request may quote a row.
    Rehearsal.objects.filter(snapshot=snapshot).delete()
    deleted = copies_of(snapshot)
    for place in deleted:
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink()
    return deleted
