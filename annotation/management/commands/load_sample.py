import json
import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from annotation.actions.sample import load_sample_campaign
from annotation.models import Person

ACCOUNTS = [
    ("ada", "Ada", Person.Role.LABELER),
    ("ben", "Ben", Person.Role.LABELER),
    ("chen", "Chen", Person.Role.LABELER),
    ("rita", "Rita", Person.Role.REVIEWER),
    ("admin", "Admin", Person.Role.RESEARCHER),
]


class Command(BaseCommand):
    help = "Load the sample campaign and its accounts; their passwords are written to var/accounts.json."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--accounts", type=Path, default=settings.VAR / "accounts.json")

    def handle(self, *args: Any, accounts: Path, **options: Any) -> None:
        campaign = load_sample_campaign(now=timezone.now())
        self.stdout.write(f"campaign: {campaign}, {campaign.prompts.count()} prompts")
        if accounts.exists():
            self.stdout.write(f"accounts: as they are, in {accounts}")
            return
        made = [_account(username, name, role) for username, name, role in ACCOUNTS]
        accounts.parent.mkdir(parents=True, exist_ok=True)
        accounts.touch(mode=0o600)
        accounts.write_text(json.dumps(made, indent=2) + "\n")
        self.stdout.write(f"accounts: {', '.join(account['username'] for account in made)}, in {accounts}")


def _account(username: str, name: str, role: str) -> dict[str, str]:
    """The account with a fresh password: nothing here has a default one."""
    password = secrets.token_urlsafe(9)
    person, _is_new = Person.objects.get_or_create(username=username)
    person.first_name, person.role = name, role
    person.is_staff = person.is_superuser = role == Person.Role.RESEARCHER
    person.set_password(password)
    person.save()
    return {"username": username, "password": password, "role": str(role)}
