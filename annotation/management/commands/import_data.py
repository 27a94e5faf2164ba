import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.actions.imports import ImportReport, import_items
from annotation.formats import READERS
from annotation.formats.files import as_text
from annotation.formats.items import UNREADABLE
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
        parser.add_argument("file", type=Path, help="JSON lines; may be gzipped")
        parser.add_argument("--campaign", required=True, help="its name; made when there is none")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            file = path.open("rb")
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}") from error
        with file:
            report = self.read(as_text(file), options["format"], options["campaign"])
        self.tell(report)
        if not (report.added or report.unchanged):
            raise CommandError(f"Nothing in {path} could be imported as {options['format']}.")
        if any(problem.code == UNREADABLE for problem in report.problems):
            raise CommandError(f"{path} is damaged; what could be read of it is kept.")

    def read(self, text: TextIO, format_name: str, campaign_name: str) -> ImportReport:
        campaign, is_new = campaign_named(campaign_name)
        try:
            report = import_items(
                campaign=campaign,
                items=READERS[format_name](text),
                format_name=format_name,
                now=timezone.now(),
                progress=self.sign_of_life(),
            )
        except KeyboardInterrupt:
            words = "Stopped. What was read is kept; the same command goes on from there."
            raise CommandError(words, returncode=130) from None
        if is_new and not campaign.prompts.exists():
            campaign.delete()
        return report

    def sign_of_life(self) -> Callable[[int], None]:
        """Tells the line now and then; on a terminal in one place."""
        is_terminal = self.stdout.isatty()
        last = time.monotonic()

        def tell_line(line: int) -> None:
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
            self.stderr.write(f"line {problem.line}: {problem.detail} [{problem.code}]")
        if len(report.problems) > SHOWN_PROBLEMS:
            self.stderr.write(f"and {len(report.problems) - SHOWN_PROBLEMS} more lines like these")
        self.stdout.write(f"{len(report.problems)} lines could not be used")


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
