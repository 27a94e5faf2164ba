"""From one piece of chat feedback on to the snapshots that it is in."""

import pyarrow.parquet as pq

from annotation.models import FeedbackUse
from trainer.models import Snapshot

Place = tuple[Snapshot.Kind, str, int]


def snapshots_holding(use: FeedbackUse) -> list[Snapshot]:
    """Oldest first; those whose rows were deleted cannot be asked."""
    kind, column, number = _place(use)
    frozen_since = Snapshot.objects.filter(campaign=use.campaign_id, kind=kind, created_at__gte=use.made_at)
    return [
        snapshot
        for snapshot in frozen_since.order_by("pk")
        if snapshot.file.exists() and _has(snapshot, column, number)
    ]


def _place(use: FeedbackUse) -> Place:
    if use.ranking_id is not None:
        return Snapshot.Kind.RANKINGS, "ranking_id", use.ranking_id
    if use.demonstration_id is not None:
        return Snapshot.Kind.DEMONSTRATIONS, "demonstration_id", use.demonstration_id
    return Snapshot.Kind.FEEDBACK, "feedback_id", use.pk


def _has(snapshot: Snapshot, column: str, number: int) -> bool:
    found = pq.read_table(snapshot.file, columns=[column], filters=[(column, "=", number)])
    return bool(found.num_rows)
