from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.errors import Refusal
from trainer.actions.pipelines import checked, settle_pipelines, start_pipeline
from trainer.management.finding import find_campaign, find_model
from trainer.management.progress import ProgressBar, wait_for
from trainer.models import Pipeline, PipelineRun, Run


class Command(BaseCommand):
    help = "Start the pipeline that a YAML file describes: its stages are queued as runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--campaign", required=True, metavar="NAME")
        parser.add_argument("--name", help="of the saved pipeline (default: the file's name)")
        parser.add_argument(
            "--only", default="", metavar="STAGE", help="on what the stages before it last made"
        )
        parser.add_argument(
            "--base",
            metavar="CHECKPOINT",
            help="an id, a name, a folder or a Hugging Face id; else the file's",
        )
        parser.add_argument("--wait", action="store_true", help="until it is over; fail unless it succeeds")

    def handle(self, *args: Any, wait: bool, **options: Any) -> None:
        try:
            started = _start(**options)
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(f"id: {started.pk}\npipeline: {started}")
        for run in started.stages.order_by("pk"):
            self.stdout.write(f"{run.stage}: {run.pk}")
        if wait:
            _see_through(started)


def _start(
    *, file: Path, campaign: str, name: str | None, only: str, base: str | None, **_: Any
) -> PipelineRun:
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from error
    spec, now = checked(text), timezone.now()
    pipeline, _is_new = Pipeline.objects.update_or_create(
        campaign=find_campaign(campaign),
        name=name or file.stem,
        defaults={"document": text},
        create_defaults={"document": text, "created_at": now},
    )
    first = base or ("" if spec.start or pipeline.runs.exists() else next(iter(settings.BASE_MODELS), ""))
    return start_pipeline(
        pipeline=pipeline, start=find_model(first) if first else None, only=only, by=None, now=now
    )


def _see_through(started: PipelineRun) -> None:
    """:raises CommandError: a stage did not succeed."""
    for run in started.stages.order_by("pk"):
        bar = ProgressBar(run.stage)
        wait_for(run, bar)
        bar.end(str(run.get_status_display()))
        if run.status != Run.Status.SUCCEEDED:
            raise CommandError(f"{run}: {run.get_status_display()}. {run.failure}".rstrip(" ."))
    settle_pipelines(pipeline=started.pipeline, now=timezone.now())
