"""Asking for exports in the background."""

from datetime import datetime

from django.utils.translation import gettext as _

from annotation.models import Person
from trainer import dispatch
from trainer.errors import ExportAlreadyFinished
from trainer.exports.destinations import check_destination
from trainer.exports.folder import plan_export
from trainer.models import Export, Snapshot


def queue_export(
    *,
    snapshot: Snapshot,
    format: str,
    container: str = "",
    destination: str = "",
    created_by: Person | None,
    now: datetime,
) -> Export:
    """A queued export; a worker writes it. Without a destination it is kept here for download.

    :raises FormatDoesNotFit: the format is not known, or holds another kind of rows, or not in this
        container.
    :raises SnapshotFileMissing: the snapshot's file is gone.
    :raises BadDestination: nothing can be written there, or the address holds a password.
    """
    plan = plan_export(snapshot, format, container)
    if destination:
        check_destination(destination)
    export = Export.objects.create(
        snapshot=snapshot,
        format=format,
        container=plan.container,
        destination=destination,
        created_by=created_by,
        created_at=now,
    )
    dispatch.ring_for_export()
    return export


def cancel_export(export: Export, *, now: datetime) -> None:
    """A waiting one ends at once, a running one between two batches of rows.

    :raises ExportAlreadyFinished: it is over.
    """
    # Between the first two a worker may take it, between the last two give it back.
    stopped = export.cancel_queued(now=now) or export.ask_to_cancel(now=now) or export.cancel_queued(now=now)
    if not stopped:
        raise ExportAlreadyFinished(_("This export is over already."))
