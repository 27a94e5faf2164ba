from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.backups import BackupRefused, make_backup


class Command(BaseCommand):
    help = "Write the database and all files into a new folder, while the product runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        try:
            manifest = make_backup(folder.absolute(), now=timezone.now())
        except BackupRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        size = sum(told["bytes"] for told in manifest["files"].values()) / 1e6
        rows = sum(manifest["rows"].values())
        self.stdout.write(f"{rows} rows and {len(manifest['files'])} files, {size:.1f} MB, in {folder}")
