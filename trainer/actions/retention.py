"""What of the run directories on this machine nobody needs any more. What a row names is never touched."""

import logging
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from trainer.handoff.rundir import CHECKPOINTS
from trainer.models import Artifact, Checkpoint, Rehearsal, Run

logger = logging.getLogger(__name__)

AT_LEAST = timedelta(days=1)
"""A run that just ended is looked at, and a folder without a row may belong to one that is just committed."""


def collect_garbage(*, now: datetime) -> list[Path]:
    """Remove what attempts left behind that came to nothing. Returns what is gone.

    An attempt that published stays whole, with its last checkpoints and the best one. Of the other attempts
    of a run that is over the weights go; their logs stay. Folders of no run go altogether.
    """
    Rehearsal.objects.filter(asked_at__lt=now - AT_LEAST).delete()
    root = Path(settings.RUNS_ROOT)
    folders = [folder for folder in root.glob("*") if folder.name.isdecimal() and folder.is_dir()]
    runs = Run.objects.in_bulk([int(folder.name) for folder in folders])
    gone: list[Path] = []
    for folder in folders:
        run = runs.get(int(folder.name))
        if run is None:
            gone += [folder] if _is_old(folder, now) else []
        elif run.finished_at and run.finished_at < now - AT_LEAST:
            gone += _leftovers(run, folder)
    named = _named()
    gone = [path for path in gone if path.exists() and not _holds(path, named)]
    for path in gone:
        logger.info("Removing %s, which nothing needs.", path)
        shutil.rmtree(path, ignore_errors=True)
    return gone


def _leftovers(run: Run, folder: Path) -> list[Path]:
    published = Artifact.objects.filter(run=run).values_list("attempt", flat=True).first()
    if run.status == Run.Status.SUCCEEDED and published is None:  # from before artifacts were written down
        published = run.attempt
    attempts = [path for path in folder.glob("attempt-*") if path.name != f"attempt-{published}"]
    return [path / name for path in attempts for name in (CHECKPOINTS, "result", "result.unfinished", "data")]


def _named() -> set[Path]:
    """Every place that a row points at."""
    places = [
        *Checkpoint.objects.values_list("location", flat=True),
        *Artifact.objects.values_list("location", flat=True),
    ]
    return {Path(place).resolve() for place in places}


def _holds(path: Path, named: set[Path]) -> bool:
    whole = path.resolve()
    return any(whole == place or whole in place.parents for place in named)


def _is_old(folder: Path, now: datetime) -> bool:
    return folder.stat().st_mtime < (now - AT_LEAST).timestamp()
