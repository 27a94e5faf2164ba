from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.backups import BackupRefused, check_backup, restore_backup


class Command(BaseCommand):
    help = "Bring back what the backup command wrote. Stop the product first."
    # There may be no database yet, and the one that comes has its own migrations.
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--replace", action="store_true", help="Lose what is here now.")
        parser.add_argument(
            "--verify", action="store_true", help="Check the backup's files, restore nothing."
        )

    def handle(self, *args: Any, folder: Path, replace: bool, verify: bool, **options: Any) -> None:
        try:
            manifest = check_backup(folder) if verify else restore_backup(folder, replace=replace)
        except BackupRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        what = "whole" if verify else "restored"
        self.stdout.write(
            f"{what}: {sum(manifest['rows'].values())} rows, {len(manifest['files'])} files, "
            f"of {manifest['made_at']}"
        )
