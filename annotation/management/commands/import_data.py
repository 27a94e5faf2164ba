import gzip
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.actions.imports import ImportReport, import_items
from annotation.formats import READERS
from annotation.models import Campaign

SHOWN_PROBLEMS = 20


class Command(BaseCommand):
    help = "Import prompts, candidates, rankings and demonstrations. Importing again adds nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("format", choices=sorted(READERS))
        parser.add_argument("file", type=Path, help="may be gzipped")
        parser.add_argument("--campaign", required=True, help="its name; made when there is none")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign, _is_new = Campaign.objects.get_or_create(name=options["campaign"])
        try:
            with open_text(options["file"]) as file:
                report = import_items(
                    campaign=campaign,
                    items=READERS[options["format"]](file),
                    format_name=options["format"],
                    now=timezone.now(),
                )
        except (OSError, EOFError) as error:
            raise CommandError(f"{options['file']} cannot be read: {error}") from error
        self.tell(report)

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


def open_text(path: Path) -> TextIO:
    """The file as text. Bytes that are no UTF-8 become lone surrogates, which each row then refuses."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="surrogateescape")
    return path.open(encoding="utf-8", errors="surrogateescape")
