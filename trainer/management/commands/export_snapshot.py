import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import Refusal
from trainer.exports import CONTAINERS, FORMATS, export_snapshot
from trainer.exports.destinations import check_destination, push_folder
from trainer.management.finding import find_row
from trainer.models import Snapshot


class Command(BaseCommand):
    help = "Write a snapshot into a folder: the data, a card that explains it, and a manifest."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int)
        parser.add_argument("--format", required=True, choices=sorted(FORMATS))
        parser.add_argument("--container", default="", choices=sorted(CONTAINERS))
        parser.add_argument(
            "--out",
            required=True,
            metavar="PATH_OR_URL",
            help="a folder, or an address such as s3://bucket/x",
        )

    def handle(
        self, *args: Any, id: int, format: str, container: str, out: str | Path, **options: Any
    ) -> None:
        snapshot = find_row(Snapshot, id)
        try:
            if "://" in str(out):
                manifest = _export_to_url(snapshot, format, container, str(out))
            else:
                manifest = export_snapshot(snapshot, format, Path(out), container)
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        except (OSError, ImportError, NotImplementedError) as error:
            raise CommandError(f"{out} cannot be written: {error}") from error
        for name, rows in manifest["rows"].items():
            self.stdout.write(f"{str(out).rstrip('/')}/{name}: {rows} rows")


def _export_to_url(snapshot: Snapshot, format: str, container: str, url: str) -> dict[str, Any]:
    check_destination(url)
    with tempfile.TemporaryDirectory() as folder:
        manifest = export_snapshot(snapshot, format, Path(folder), container)
        push_folder(Path(folder), [*manifest["files"], "manifest.json"], url)
    return manifest
