"""What a worker does with the queue of exports."""

import logging
import shutil
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from annotation.errors import Refusal
from trainer import dispatch
from trainer.exports.destinations import push_folder
from trainer.exports.folder import MANIFEST, File, as_rows, finish_folder, plan_export, write_shard
from trainer.models import Export

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

BETWEEN_BEATS = timedelta(seconds=1)
TURN = timedelta(seconds=10)
"""Then the worker looks after what else waits, and takes the export up again: overdue leases cannot wait."""
PUSH_LEASE = timedelta(minutes=10)
"""While one file is under way to its destination, nobody hears of this worker."""


class _Ended(Exception):
    """This attempt is over: cancelled, handed back, or lost to another one."""


def execute_next_export(*, clock: Clock, stopping: Callable[[], bool]) -> Export | None:
    """Take the oldest export that waits and write it. Returns it, or None if nothing waits.

    ``stopping`` tells when the worker wants to leave: the export then goes back to the queue.
    """
    export = _claim_next(now=clock())
    if export is None:
        return None
    try:
        _carry_out(export, Pulse(export, clock, stopping))
    except _Ended:
        logger.info("Export %s ended before its end.", export.pk)
    except Refusal as refusal:
        export.fail(refusal.detail, now=clock())
    except Exception as error:  # whatever it was, it must end with words, not hang until its lease ends
        logger.exception("Export %s broke off.", export.pk)
        export.fail(_broken_off(error), now=clock())
    if not stopping() and Export.objects.queued().exists():
        dispatch.ring_for_export()
    return export


def reclaim_overdue_exports(*, now: datetime) -> int:
    """Queue again what fell silent, up to a limit. Returns how many were overdue."""
    overdue = list(Export.objects.overdue(now))
    for export in overdue:
        lost = export.manifest.get("lost", 0) + 1
        if export.cancel_requested_at:
            export.stop(now=now)
        elif lost >= Export.MOST_LOSSES:
            export.fail(_silent(lost), now=now)
        else:
            export.requeue(manifest={**export.manifest, "lost": lost})
    if overdue:
        dispatch.ring_for_export()
    return len(overdue)


class Pulse:
    """Tells the row how far the export is, and the export whether to go on."""

    def __init__(self, export: Export, clock: Clock, stopping: Callable[[], bool]) -> None:
        self.export = export
        self.clock = clock
        self.stopping = stopping
        self.started = self.last = clock()
        self.rows_before = 0

    def __call__(self, rows_read: int) -> None:
        """:raises _Ended: this attempt is over."""
        if self.clock() - self.last >= BETWEEN_BEATS:
            self.beat(rows_read=self.rows_before + rows_read)

    def beat(self, lease: timedelta | None = None, **changes: Any) -> None:
        """:raises _Ended: this attempt is over."""
        now = self.clock()
        if not self.export.extend(now=now, lease=lease or settings.EXPORT_LEASE, **changes):
            raise _Ended
        self.last = now
        if self.export.cancel_requested_at:
            self.export.stop(now=now)
            raise _Ended
        if self.stopping():
            self.export.requeue()
            raise _Ended

    def give_way(self) -> None:
        """:raises _Ended: its turn is over; the next one begins after what else the worker has to do."""
        if self.clock() - self.started >= TURN:
            self.export.requeue()
            raise _Ended


def _claim_next(*, now: datetime) -> Export | None:
    for export in Export.objects.queued().select_related("snapshot").order_by("pk"):
        if export.claim(now=now, lease=settings.EXPORT_LEASE):
            return export
    return None


def _carry_out(export: Export, pulse: Pulse) -> None:
    """Write shard by shard, after those that an earlier attempt has finished; then card and manifest."""
    plan = plan_export(export.snapshot, export.format, export.container)
    folder = export.folder
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("writing-*"):
        shutil.rmtree(left, ignore_errors=True)
    shards: list[list[dict[str, Any]]] = export.manifest.get("shards", [])
    pulse.rows_before = sum(plan.rows_in(number) for number in range(len(shards)))
    for number in range(len(shards), len(plan.shards)):
        shards.append(as_rows(write_shard(plan, number, folder, watch=pulse)))
        pulse.rows_before += plan.rows_in(number)
        pulse.beat(rows_read=pulse.rows_before, manifest={**export.manifest, "shards": shards})
        if number + 1 < len(plan.shards):
            pulse.give_way()
    manifest = finish_folder(plan, [File(**row) for shard in shards for row in shard], folder)
    if export.destination:
        _push(export, [*manifest["files"], MANIFEST], pulse)
    export.succeed(manifest, now=pulse.clock())


def _push(export: Export, names: list[str], pulse: Pulse) -> None:
    """Bring it where it was asked for; nothing of it stays here."""
    push_folder(export.folder, names, export.destination, watch=lambda: pulse.beat(PUSH_LEASE))
    shutil.rmtree(export.folder)


def _broken_off(error: Exception) -> str:
    last = traceback.format_exception_only(error)[-1].strip()
    return _("The export could not be carried out: %(error)s") % {"error": last}


def _silent(lost: int) -> str:
    return _(
        "Its worker fell silent %(count)d times. The machine may have been switched off or run out of memory."
    ) % {"count": lost}
