from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import Refusal
from trainer.exports import FORMATS, export_snapshot
from trainer.management.finding import find_row
from trainer.models import Snapshot


class Command(BaseCommand):
    help = "Write a snapshot into a folder: the data, a card that explains it, and a manifest."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int)
        parser.add_argument("--format", required=True, choices=sorted(FORMATS))
        parser.add_argument("--out", required=True, type=Path, metavar="PATH")

    def handle(self, *args: Any, id: int, format: str, out: Path, **options: Any) -> None:
        try:
            manifest = export_snapshot(find_row(Snapshot, id), format, out)
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error}") from error
        for name, rows in manifest["rows"].items():
            self.stdout.write(f"{out / name}: {rows} rows")
