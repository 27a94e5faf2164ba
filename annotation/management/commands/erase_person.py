from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.actions.erasure import erase_person, what_goes
from annotation.errors import Refusal
from annotation.models import Person, Tombstone


class Command(BaseCommand):
    help = (
        "Erase a person: their contributions are removed, or kept and tied to nobody; their name, e-mail and "
        "sign-in are gone. Stopped in between, the same command goes on from there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--mode", required=True, choices=Tombstone.Mode.values)
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, username: str, mode: str, yes: bool, **options: Any) -> None:
        person = Person.objects.filter(username=username, erased_at__isnull=True).first()
        if person is None:
            raise CommandError(f"There is nobody called {username!r}.")
        for what, count in what_goes(person).items():
            self.stdout.write(f"{what}: {count}")
        if not yes and input(f"This cannot be undone. Type {username} to erase them: ") != username:
            raise CommandError("Nothing was erased.")
        try:
            erased = erase_person(person=person, mode=mode, by=None, now=timezone.now())
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(f"{mode}: {erased.rankings} rankings, {erased.demonstrations} demonstrations")
