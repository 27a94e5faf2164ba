from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import Refusal
from trainer.actions.erasures import copies_of, delete_rows, erased_rows
from trainer.management.finding import find_row
from trainer.models import Snapshot


class Command(BaseCommand):
    help = (
        "Delete the rows of a snapshot, with their copies in its exports and runs on this machine; its "
        "digest and its counts stay. Without an id: list the snapshots with rows of people who were erased "
        "since."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("snapshot", nargs="?", help="its id")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, snapshot: str | None, yes: bool, **options: Any) -> None:
        if snapshot is None:
            self.list_erased()
        else:
            self.delete(find_row(Snapshot, snapshot), yes)

    def list_erased(self) -> None:
        for snapshot in Snapshot.objects.order_by("pk"):
            if erased := erased_rows(snapshot):
                counts = ", ".join(f"{count} {mode}" for mode, count in sorted(erased.items()))
                self.stdout.write(f"{snapshot}: {counts}")

    def delete(self, snapshot: Snapshot, yes: bool) -> None:
        for place in copies_of(snapshot):
            self.stdout.write(str(place))
        if not yes and input(f"This cannot be undone. Type {snapshot.pk} to delete these: ") != str(
            snapshot.pk
        ):
            raise CommandError("Nothing was deleted.")
        try:
            deleted = delete_rows(snapshot)
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(f"{len(deleted)} places deleted")
        for export in snapshot.exports.exclude(destination=""):
            self.stdout.write(f"not deleted, since it is elsewhere: {export.destination}")
