from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.errors import Refusal
from trainer.actions.snapshots import freeze_snapshot
from trainer.management.finding import find_campaign
from trainer.models import Snapshot


class Command(BaseCommand):
    help = "Freeze a campaign's rows as they are now. The same rows give the same snapshot."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--campaign", required=True, metavar="NAME")
        parser.add_argument("--kind", required=True, choices=Snapshot.Kind.values)

    def handle(self, *args: Any, campaign: str, kind: str, **options: Any) -> None:
        try:
            snapshot = freeze_snapshot(
                campaign=find_campaign(campaign), kind=kind, created_by=None, now=timezone.now()
            )
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(f"id: {snapshot.pk}\nrows: {snapshot.rows}\nsha256: {snapshot.digest}")
