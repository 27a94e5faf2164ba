from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.errors import Refusal
from trainer.actions.runs import SNAPSHOT_KINDS, queue_run
from trainer.actions.snapshots import freeze_snapshot
from trainer.management.finding import find_campaign, find_model, find_row
from trainer.management.progress import ProgressBar, wait_for
from trainer.models import Run, Snapshot


class Command(BaseCommand):
    help = "Queue a run; a worker takes it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=Run.Kind.values)
        rows = parser.add_mutually_exclusive_group(required=True)
        rows.add_argument("--snapshot", metavar="ID")
        rows.add_argument("--campaign", metavar="NAME", help="freezes what it has now")
        parser.add_argument(
            "--base",
            metavar="CHECKPOINT",
            default=next(iter(settings.BASE_MODELS), None),
            help="its id, or a base model's name, folder or Hugging Face id (default: %(default)s)",
        )
        parser.add_argument(
            "--reward", metavar="CHECKPOINT", help="the id of a reward model; for ppo and sample"
        )
        parser.add_argument(
            "--holdout",
            metavar="CHECKPOINT",
            help="the id of a reward model that only watches; ppo, evaluate",
        )
        parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE")
        parser.add_argument("--nodes", type=int, default=1, help="so many machines share it")
        parser.add_argument("--devices", type=int, default=0, help="of each machine; 0: all that it has")
        parser.add_argument("--wait", action="store_true", help="until it is over; fail unless it succeeds")

    def handle(self, *args: Any, wait: bool, **options: Any) -> None:
        try:
            run = _queue(options)
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(f"id: {run.pk}\nsnapshot: {run.snapshot_id}")
        if wait:
            _see_through(run)


def _queue(options: dict[str, Any]) -> Run:
    return queue_run(
        kind=options["kind"],
        config=_settings(options["set"]),
        snapshot=_snapshot(options),
        base=find_model(options["base"]),
        reward=find_model(options["reward"]) if options["reward"] else None,
        holdout=find_model(options["holdout"]) if options["holdout"] else None,
        nodes=options["nodes"],
        devices=options["devices"],
        created_by=None,
        now=timezone.now(),
    )


def _settings(pairs: Iterable[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise CommandError(f"--set takes key=value, not {pair!r}.")
    return dict(pair.split("=", 1) for pair in pairs)  # type: ignore[misc]  # two halves each


def _snapshot(options: dict[str, Any]) -> Snapshot:
    if options["snapshot"]:
        return find_row(Snapshot, options["snapshot"])
    return freeze_snapshot(
        campaign=find_campaign(options["campaign"]),
        kind=SNAPSHOT_KINDS[Run.Kind(options["kind"])],
        created_by=None,
        now=timezone.now(),
    )


def _see_through(run: Run) -> None:
    """:raises CommandError: it did not succeed."""
    bar = ProgressBar(str(run))
    wait_for(run, bar)
    bar.end(str(run.get_status_display()))
    if run.status != Run.Status.SUCCEEDED:
        raise CommandError(f"{run}: {run.get_status_display()}. {run.failure}".rstrip(" ."))
