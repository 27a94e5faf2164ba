"""Imports in the background. The row is the queue; its file lies in the folder of imports."""

import logging
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext as _

from annotation import doorbell
from annotation.actions.imports import ImportReport, import_items
from annotation.errors import FileTooLarge, ImportAlreadyFinished, Refusal
from annotation.formats import READERS
from annotation.formats.containers import Source
from annotation.formats.items import UNREADABLE, ImportedPrompt, Items, Problem
from annotation.models import Campaign, Import, Person
from annotation.models.imports import ImportQuerySet
from annotation.personal_data import need_scanner

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
TASK = "annotation.tasks.run_next_import"
MAX_BYTES = 2 * 1024**3
MAX_ATTEMPTS = 3
KEPT_PROBLEMS = 100
FINAL = {Import.Status.SUCCEEDED, Import.Status.FAILED, Import.Status.CANCELLED}


class _Lost(Exception):
    """Another attempt has the import now."""


class _Cancelled(Exception):
    pass


def start_import(
    *,
    campaign: Campaign,
    format_name: str,
    file_name: str,
    chunks: Iterable[bytes],
    created_by: Person | None,
    now: datetime,
) -> Import:
    """A queued import of a file that comes in pieces; a worker takes it within seconds.

    :raises FileTooLarge: there is more of it than can be kept.
    :raises ScannerMissing: the campaign scans for personal data, and nothing that can is installed.
    """
    if campaign.scans_for_personal_data:
        need_scanner()
    name = f"{uuid4().hex}{''.join(Path(file_name).suffixes[-2:])[:20]}"
    size = _keep(chunks, _folder() / name)
    started = Import.objects.create(
        campaign=campaign,
        format=format_name,
        file=name,
        file_name=file_name[-200:],
        bytes=size,
        created_by=created_by,
        created_at=now,
    )
    doorbell.ring(TASK)
    return started


def run_next_import(*, clock: Clock) -> Import | None:
    """Take the oldest import that waits and carry it out. Returns it, or None if nothing waits."""
    row = _claim(clock())
    if row is None:
        return None
    try:
        report = _read(row, clock)
    except _Lost:
        logger.warning("Import %s went to another attempt; this one writes nothing.", row.pk)
    except _Cancelled:
        _finish(row, Import.Status.CANCELLED, clock())
    except Refusal as refusal:
        _finish(row, Import.Status.FAILED, clock(), refusal.detail)
    except Exception as error:  # whatever it was, the import must end with words
        logger.exception("Import %s broke off.", row.pk)
        last = traceback.format_exception_only(error)[-1].strip()
        _finish(row, Import.Status.FAILED, clock(), _("It broke off: %(error)s") % {"error": last[:500]})
    else:
        failure = _shortfall(row, report)
        _finish(row, Import.Status.FAILED if failure else Import.Status.SUCCEEDED, clock(), failure)
    if Import.objects.queued().exists():
        doorbell.ring(TASK)
    return row


def cancel_import(row: Import, *, now: datetime) -> None:
    """One that waits ends at once, one that runs after the rows that it is storing.

    :raises ImportAlreadyFinished: it is over.
    """
    queued = Import.objects.queued()
    if row.move(queued, status=Import.Status.CANCELLED, finished_at=now):
        _file_of(row).unlink(missing_ok=True)
    elif not row.move(Import.objects.running(), cancel_requested_at=now):
        raise ImportAlreadyFinished(_("This import is over already."))


def reclaim_overdue_imports(*, now: datetime) -> int:
    """Queue again what fell silent, up to a limit. Returns how many imports were overdue."""
    overdue = list(Import.objects.overdue(now))
    for row in overdue:
        still = Import.objects.overdue(now).filter(attempt=row.attempt)
        if row.cancel_requested_at:
            _end(row, still, Import.Status.CANCELLED, now)
        elif row.attempt >= MAX_ATTEMPTS:
            words = _("Its worker fell silent %(count)d times.") % {"count": row.attempt}
            _end(row, still, Import.Status.FAILED, now, words)
        else:
            row.move(still, status=Import.Status.QUEUED, lease_expires_at=None)
    return len(overdue)


def delete_import(row: Import) -> None:
    """Forget an import that is over, with its file. What it brought stays.

    :raises ImportAlreadyFinished: it is not over yet.
    """
    if row.status not in FINAL:
        raise ImportAlreadyFinished(_("Cancel this import first."))
    _file_of(row).unlink(missing_ok=True)
    row.delete()


def _claim(now: datetime) -> Import | None:
    for row in Import.objects.queued().order_by("pk"):
        changes = {"attempt": F("attempt") + 1, "lease_expires_at": now + settings.IMPORT_LEASE}
        if row.move(Import.objects.queued(), status=Import.Status.RUNNING, **changes):
            return row
    return None


def _read(row: Import, clock: Clock) -> ImportReport:
    with _file_of(row).open("rb") as file:
        source = Source(file, row.file_name)

        def follow(report: ImportReport, *, line: int) -> None:
            # In the batch's transaction: what was stored and how far it is are one thing.
            if not row.move(_mine(row), **_progress(row, report, line, source), **_lease(clock())):
                raise _Lost
            if row.cancel_requested_at:
                raise _Cancelled

        items = READERS[row.format](source.rows())
        return import_items(
            campaign=row.campaign,
            items=_after(row.lines_read, items),
            format_name=row.format,
            now=row.created_at,
            follow=follow,
        )


def _after(line: int, items: Items) -> Iterator[ImportedPrompt | Problem]:
    for item in items:
        if item.line > line or (isinstance(item, Problem) and item.code == UNREADABLE):
            yield item


def _progress(row: Import, report: ImportReport, line: int, source: Source) -> dict[str, Any]:
    problems = row.problems + [asdict(problem) for problem in report.problems]
    return {
        "lines_read": line,
        "bytes_read": min(source.bytes_read, row.bytes),
        "added": Counter(row.added) + report.added,
        "unchanged": Counter(row.unchanged) + report.unchanged,
        "problems": problems[:KEPT_PROBLEMS],
        "problem_count": row.problem_count + report.problem_count,
    }


def _lease(now: datetime) -> dict[str, datetime]:
    return {"lease_expires_at": now + settings.IMPORT_LEASE}


def _shortfall(row: Import, report: ImportReport) -> str:
    if any(problem.code == UNREADABLE for problem in report.problems):
        return _("The file is damaged; what could be read of it is kept.")
    if not (row.added or row.unchanged):
        return _("Nothing in this file could be imported.")
    return ""


def _mine(row: Import) -> ImportQuerySet:
    return Import.objects.running().filter(attempt=row.attempt)


def _finish(row: Import, status: Import.Status, now: datetime, failure: str = "") -> None:
    _end(row, _mine(row), status, now, failure)


def _end(
    row: Import, allowed: ImportQuerySet, status: Import.Status, now: datetime, failure: str = ""
) -> None:
    changes = {"finished_at": now, "lease_expires_at": None, "failure": failure}
    if row.move(allowed, status=status, **changes) and status != Import.Status.FAILED:
        # That of a failure is kept until its row is deleted: somebody may want to look at it.
        _file_of(row).unlink(missing_ok=True)


def _keep(chunks: Iterable[bytes], path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    try:
        with path.open("xb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > MAX_BYTES:
                    most = MAX_BYTES // 1024**2
                    raise FileTooLarge(_("A file can have at most %(most)d MB.") % {"most": most})
                file.write(chunk)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return size


def _folder() -> Path:
    return Path(settings.IMPORTS_ROOT)


def _file_of(row: Import) -> Path:
    return _folder() / row.file
