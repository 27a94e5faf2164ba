import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.actions.imports import Follower, ImportReport, import_items, with_defaults
from annotation.errors import Refusal
from annotation.formats import READERS
from annotation.formats.containers import Source, folder_rows
from annotation.formats.items import UNREADABLE, Problem, Rows
from annotation.models import Campaign

SHOWN_PROBLEMS = 20


class Command(BaseCommand):
    help = (
        "Import prompts, candidates, rankings and demonstrations. Lines that cannot be used are named, the "
        "others are kept; importing again adds nothing. Exit code 1 if no line could be used, or if the file "
        "cannot be read to its end."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("format", choices=sorted(READERS))
        parser.add_argument(
            "file",
            type=Path,
            help="JSON lines, CSV, text (one prompt a line) or Parquet, gzipped or not; or a folder of them",
        )
        parser.add_argument("--campaign", required=True, help="its name; made when there is none")
        for name in ("kind", "language", "skill"):
            parser.add_argument(f"--{name}", default="", help="of prompts that the file gives none")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        with rows_of(path) as rows:
            report = self.read(rows, options)
        self.tell(report)
        if not (report.added or report.unchanged):
            raise CommandError(f"Nothing in {path} could be imported as {options['format']}.")
        if any(problem.code == UNREADABLE for problem in report.problems):
            raise CommandError(f"{path} is damaged; what could be read of it is kept.")

    def read(self, rows: Rows, options: dict[str, Any]) -> ImportReport:
        campaign, is_new = campaign_named(options["campaign"])
        defaults = {name: options[name] for name in ("kind", "language", "skill")}
        try:
            report = import_items(
                campaign=campaign,
                items=with_defaults(READERS[options["format"]](rows), **defaults),
                format_name=options["format"],
                now=timezone.now(),
                follow=self.sign_of_life(),
            )
        except KeyboardInterrupt:
            words = "Stopped. What was read is kept; the same command goes on from there."
            raise CommandError(words, returncode=130) from None
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        if is_new and not campaign.prompts.exists():
            campaign.delete()
        return report

    def sign_of_life(self) -> Follower:
        """Tells the line now and then; on a terminal in one place."""
        is_terminal = self.stdout.isatty()
        last = time.monotonic()

        def tell_line(report: ImportReport, *, line: int) -> None:
            nonlocal last
            if time.monotonic() - last > (0.5 if is_terminal else 10):
                last = time.monotonic()
                self.stdout.write(f"{line} lines read", ending="\r" if is_terminal else "\n")
                self.stdout.flush()

        return tell_line

    def tell(self, report: ImportReport) -> None:
        for thing in sorted({*report.added, *report.unchanged}):
            self.stdout.write(
                f"{thing}: {report.added[thing]} added, {report.unchanged[thing]} already there"
            )
        for problem in report.problems[:SHOWN_PROBLEMS]:
            self.stderr.write(f"{_place(problem)}: {problem.detail} [{problem.code}]")
        if report.problem_count > SHOWN_PROBLEMS:
            self.stderr.write(f"and {report.problem_count - SHOWN_PROBLEMS} more lines like these")
        self.stdout.write(f"{report.problem_count} lines could not be used")


@contextmanager
def rows_of(path: Path) -> Iterator[Rows]:
    if path.is_dir():
        yield folder_rows(path)
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
    with file:
        yield Source(file, path.name).rows()


def _place(problem: Problem) -> str:
    return f"{problem.file}, line {problem.line}" if problem.file else f"line {problem.line}"


def campaign_named(name: str) -> tuple[Campaign, bool]:
    if known := Campaign.objects.filter(name=name).first():
        return known, False
    campaign = Campaign(name=name)
    try:
        campaign.full_clean()
    except ValidationError as error:
        raise CommandError(f"{name!r} cannot be a campaign's name: {' '.join(error.messages)}") from error
    campaign.save()
    return campaign, True
