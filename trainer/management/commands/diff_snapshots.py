from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import Refusal
from trainer.actions.snapshot_diffs import SnapshotDiff, diff_snapshots
from trainer.management.finding import find_row
from trainer.models import Snapshot

MOST = 20


class Command(BaseCommand):
    help = "Tell what is different between two snapshots of one campaign: rows, prompts and labelers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("old", type=int, metavar="A")
        parser.add_argument("new", type=int, metavar="B")

    def handle(self, *args: Any, old: int, new: int, **options: Any) -> None:
        try:
            diff = diff_snapshots(old=find_row(Snapshot, old), new=find_row(Snapshot, new))
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        self._tell(diff)

    def _tell(self, diff: SnapshotDiff) -> None:
        for name in ("unchanged", "added", "removed", "changed", "tombstoned"):
            self.stdout.write(f"{name}: {getattr(diff, name)}")
        self.stdout.write(f"changed columns: {_most(diff.columns)}")
        self.stdout.write(f"prompts touched: {len(diff.prompts)}; most rows: {_most(diff.prompts)}")
        for name, counts in diff.labelers.items():
            self.stdout.write(f"labelers {name}: {len(counts)}; most rows: {_most(counts)}")


def _most(counts: Counter[Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common(MOST)) or "none"
