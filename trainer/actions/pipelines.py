"""Starting pipelines: freezing what they read, queueing their stages as runs, seeing them end."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from annotation.errors import IdempotencyConflict, Refusal
from annotation.models import Campaign, Person
from trainer.actions.checkpoints import register_base_model
from trainer.actions.filters import Filters, chosen_rows
from trainer.actions.runs import SNAPSHOT_KINDS, Origin, cancel_run, queue_run
from trainer.actions.snapshots import freeze_snapshot
from trainer.errors import InvalidPipeline, PipelineBusy, StageMissing
from trainer.models import Checkpoint, Pipeline, PipelineRun, Run, Snapshot
from trainer.pipelines import PipelineError, PipelineSpec, Stage, read_pipeline, write_pipeline
from trainer.recipes import SHORT

Reason = PipelineRun.Reason
LOOP, SHORT_LOOP = "The whole loop", "The whole loop, a short try"
"""Names of pipelines that the admin's button makes, in whatever language it is seen."""


def start_pipeline(
    *,
    pipeline: Pipeline,
    start: Checkpoint | None = None,
    only: str = "",
    since: str = "",
    reason: str = Reason.ASKED,
    by: Person | None,
    now: datetime,
    idempotency_key: UUID | None = None,
) -> PipelineRun:
    """Freeze what there is and queue the stages: all, ``only`` one, or those ``since`` one that build on it.

    A stage that is left out gives what it made when it last succeeded. The same key gives the same start.

    :raises InvalidPipeline: the file is wrong, names no such stage, or nothing to start from.
    :raises PipelineBusy: its last start is not over yet.
    :raises StageMissing: a stage that is left out has never succeeded.
    :raises IdempotencyConflict: the key came before for another pipeline.
    """
    if known := _started_before(pipeline, idempotency_key):
        return known
    spec = checked(pipeline.document)
    stages = _chosen(spec, only, since)
    settle_pipelines(pipeline=pipeline, now=now)
    _check_idle(pipeline)
    origin = start or _start_of(spec, pipeline, now)
    snapshots = _freeze(pipeline, spec, stages, by, now)
    try:
        with transaction.atomic():
            started = PipelineRun.objects.create(
                pipeline=pipeline,
                number=(pipeline.runs.aggregate(last=Max("number"))["last"] or 0) + 1,
                reason=Reason.AGAIN if only or since else reason,
                new_rankings=new_rankings(pipeline),
                document=pipeline.document,
                start=origin,
                idempotency_key=idempotency_key,
                started_by=by,
                started_at=now,
            )
            _queue(started, stages, snapshots, by, now)
    except IntegrityError:
        # Somebody else was a moment faster.
        if known := _started_before(pipeline, idempotency_key):
            return known
        _check_idle(pipeline)
        raise
    return started


def loop_of(campaign: Campaign, is_short: bool, by: Person | None, now: datetime) -> Pipeline:
    """The campaign's pipeline that is the whole loop, as somebody may have changed it by now."""
    name, recipe = (SHORT_LOOP, SHORT) if is_short else (LOOP, {})
    made = {"document": write_pipeline(recipe), "created_by": by, "created_at": now}
    pipeline, _is_new = Pipeline.objects.get_or_create(campaign=campaign, name=name, defaults=made)
    return pipeline


def stop_pipeline(started: PipelineRun, *, by: Person | None, now: datetime) -> None:
    """Cancel its stages that are not over; what the others made stays."""
    for run in started.stages.unfinished().order_by("pk"):
        with suppress(Refusal):  # over in the meantime
            cancel_run(run, by=by, now=now)
    settle_pipelines(pipeline=started.pipeline, now=now)


def settle_pipelines(*, now: datetime, pipeline: Pipeline | None = None) -> int:
    """Note which starts are over, and how they ended. Returns how many that were."""
    running = PipelineRun.objects.filter(status=PipelineRun.Status.RUNNING)
    settled = 0
    for started in running.filter(pipeline=pipeline) if pipeline else running:
        if started.stages.unfinished().exists():
            continue
        ended = PipelineRun.objects.filter(pk=started.pk, status=PipelineRun.Status.RUNNING)
        settled += ended.update(status=_ending(started), ended_at=now)
    return settled


def repeat_pipelines(*, now: datetime) -> list[PipelineRun]:
    """Start the pipelines that enough new rankings have come for; none while its last start is not over."""
    settle_pipelines(now=now)
    started = []
    waiting = Pipeline.objects.filter(is_active=True, repeat_after_rankings__isnull=False)
    for pipeline in waiting.exclude(runs__status=PipelineRun.Status.RUNNING).order_by("pk"):
        wanted = pipeline.repeat_after_rankings
        if wanted is None or new_rankings(pipeline) < wanted:
            continue
        trouble = ""
        try:
            started.append(start_pipeline(pipeline=pipeline, reason=Reason.RANKINGS, by=None, now=now))
        except PipelineBusy:
            continue
        except Refusal as refusal:
            trouble = str(refusal.detail)
        Pipeline.objects.filter(pk=pipeline.pk).update(trouble=trouble)
    return started


def new_rankings(pipeline: Pipeline) -> int:
    """How many have come since it last started: each judgement once, by its latest revision."""
    last = pipeline.runs.order_by("-number").first()
    filters = Filters(submitted_from=last.started_at if last else None, judges="labelers")
    return chosen_rows(pipeline.campaign, Snapshot.Kind.RANKINGS, filters).count()


def checked(document: str) -> PipelineSpec:
    """:raises InvalidPipeline: the file is none; the words name the line and what is allowed."""
    try:
        return read_pipeline(document)
    except PipelineError as error:
        raise InvalidPipeline(str(error)) from error


def _started_before(pipeline: Pipeline, key: UUID | None) -> PipelineRun | None:
    known = PipelineRun.objects.filter(idempotency_key=key, idempotency_key__isnull=False).first()
    if known and known.pipeline_id != pipeline.pk:
        raise IdempotencyConflict(_("This was sent before, with other contents. Open the form anew."))
    return known


def _chosen(spec: PipelineSpec, only: str, since: str) -> Sequence[Stage]:
    stages = spec.only(only) if only else spec.since(since) if since else spec.stages
    if wrong := (only or since) if not stages or (since and not spec.only(since)) else "":
        names = ", ".join(stage.name for stage in spec.stages)
        raise InvalidPipeline(
            _("There is no stage “%(stage)s”; there are: %(names)s.") % {"stage": wrong, "names": names}
        )
    return stages


def _check_idle(pipeline: Pipeline) -> None:
    if busy := pipeline.runs.filter(status=PipelineRun.Status.RUNNING).first():
        raise PipelineBusy(_("%(start)s is not over yet. Wait for it, or stop it.") % {"start": busy})


def _start_of(spec: PipelineSpec, pipeline: Pipeline, now: datetime) -> Checkpoint:
    """What the file names, else what it started from the last time."""
    if spec.start:
        return register_base_model(spec.start, now=now)
    if last := pipeline.runs.select_related("start").order_by("-number").first():
        return last.start
    raise InvalidPipeline(_("Choose a model to start from, or name one in the file as “start”."))


def _freeze(
    pipeline: Pipeline, spec: PipelineSpec, stages: Sequence[Stage], by: Person | None, now: datetime
) -> dict[str, Snapshot]:
    """Each in a transaction of its own, that of one moment; a snapshot that no run reads does no harm."""
    frozen = {}
    for kind in dict.fromkeys(SNAPSHOT_KINDS[Run.Kind(stage.kind)] for stage in stages):
        chosen = dict(spec.data.get(kind, {}))
        weights = {"weights": chosen.pop("weights")} if "weights" in chosen else {}
        frozen[str(kind)] = freeze_snapshot(
            campaign=pipeline.campaign,
            kind=kind,
            filters=Filters(**chosen),
            created_by=by,
            now=now,
            **weights,
        )
    return frozen


def _queue(
    started: PipelineRun,
    stages: Sequence[Stage],
    snapshots: Mapping[str, Snapshot],
    by: Person | None,
    now: datetime,
) -> None:
    runs: dict[str, Run] = {}

    def origin(name: str) -> Origin:
        return runs.get(name) or _result_of(started.pipeline, name)

    for stage in stages:
        runs[stage.name] = queue_run(
            kind=stage.kind,
            snapshot=snapshots[str(SNAPSHOT_KINDS[Run.Kind(stage.kind)])],
            base=origin(stage.base) if stage.base else started.start,
            reward=origin(stage.reward) if stage.reward else None,
            config=stage.settings,
            deliver=stage.deliver,
            created_by=by,
            pipeline_run=started,
            stage=stage.name,
            now=now,
        )


def _result_of(pipeline: Pipeline, stage: str) -> Checkpoint:
    made = Run.objects.filter(pipeline_run__pipeline=pipeline, stage=stage, status=Run.Status.SUCCEEDED)
    last = made.filter(result__isnull=False).select_related("result").order_by("-pk").first()
    if last is None or last.result is None:
        words = _("The stage “%(stage)s” has never succeeded here, so nothing can build on it alone.")
        raise StageMissing(words % {"stage": stage})
    return last.result


def _ending(started: PipelineRun) -> str:
    statuses = set(started.stages.values_list("status", flat=True))
    for run, whole in (
        (Run.Status.FAILED, PipelineRun.Status.FAILED),
        (Run.Status.CANCELLED, PipelineRun.Status.CANCELLED),
    ):
        if run in statuses:
            return whole
    return PipelineRun.Status.SUCCEEDED
