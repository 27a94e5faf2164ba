"""Imports that a worker carries out."""

import time
from pathlib import Path

from django.utils import timezone

from annotation.models import Campaign, Import, Prompt
from benchmarks.judgements.seeds import CAMPAIGN

UNFINISHED = ["QUEUED", "RUNNING"]
LOOK_SECONDS = 0.2


def start(*, file: str) -> None:
    from annotation.actions.import_queue import start_import  # type: ignore[import-not-found,unused-ignore]

    with Path(file).open("rb") as content:
        start_import(
            campaign=Campaign.objects.get(name=CAMPAIGN),
            format_name="prompts",
            file_name=Path(file).name,
            chunks=iter(lambda: content.read(1 << 20), b""),
            created_by=None,
            now=timezone.now(),
        )


def wait() -> None:
    """:raises SystemExit: it failed."""
    while (row := Import.objects.get()).status in UNFINISHED:
        time.sleep(LOOK_SECONDS)
    if row.status != "SUCCEEDED":
        raise SystemExit(f"the import is {row.status}: {row.failure}")


def imported() -> int:
    """How many prompts are there besides the seeded ones."""
    return Prompt.objects.filter(campaign__name=CAMPAIGN).exclude(source__startswith="batch-").count()
