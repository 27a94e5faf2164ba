from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.errors import Refusal
from annotation.models import Person
from trainer.actions.filters import Filters
from trainer.actions.snapshots import freeze_snapshot
from trainer.actions.weighing import NONE, WEIGHTS
from trainer.management.finding import find_campaign
from trainer.models import Snapshot


class Command(BaseCommand):
    help = "Freeze a campaign's rows as they are now. The same rows give the same snapshot."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--campaign", required=True, metavar="NAME")
        parser.add_argument("--kind", required=True, choices=Snapshot.Kind.values)
        parser.add_argument(
            "--weights",
            choices=WEIGHTS,
            default=NONE,
            help="how much each ranking counts in training: all alike, or as its labeler is reliable",
        )
        only = parser.add_argument_group("filters")
        only.add_argument("--prompt-kind", default="", metavar="KIND", help="only prompts of this kind")
        only.add_argument("--language", default="", metavar="CODE", help="only prompts in this language")
        only.add_argument("--guideline-from", type=int, default=0, metavar="VERSION")
        only.add_argument("--submitted-from", type=moment, metavar="DATE", help="as in 2026-11-24")
        only.add_argument("--submitted-until", type=moment, metavar="DATE", help="not on that day any more")
        only.add_argument("--without-labeler", action="append", default=[], metavar="USERNAME")
        only.add_argument("--settled", default="", choices=["consensus", "adjudicated"])
        only.add_argument("--judges", default="", choices=["labelers", "chats"])
        only.add_argument("--synthetic", default="", choices=["include", "only"], help="what models made up")
        only.add_argument(
            "--synthetic-weight", type=float, default=1.0, metavar="W", help="what a model's ranking counts"
        )
        only.add_argument("--accepted", action="store_true", help="only accepted demonstrations")

    def handle(self, *args: Any, campaign: str, kind: str, weights: str, **options: Any) -> None:
        try:
            snapshot = freeze_snapshot(
                campaign=find_campaign(campaign),
                kind=kind,
                filters=_filters(**options),
                weights=weights,
                created_by=None,
                now=timezone.now(),
            )
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(f"id: {snapshot.pk}\nrows: {snapshot.rows}\nsha256: {snapshot.digest}")


def moment(text: str) -> datetime:
    """Where no hour is given the day begins, and where no zone is given it is this server's."""
    try:
        told = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no date; write it as in 2026-11-24") from error
    return told if told.tzinfo else timezone.make_aware(told)


def _filters(*, without_labeler: list[str], **options: Any) -> Filters:
    people = dict(Person.objects.filter(username__in=without_labeler).values_list("username", "pk"))
    if missing := set(without_labeler) - set(people):
        raise CommandError(f"There is no account named {', '.join(sorted(missing))}.")
    names = set(Filters.__dataclass_fields__) & set(options)
    return Filters(without_labelers=tuple(sorted(people.values())), **{name: options[name] for name in names})
