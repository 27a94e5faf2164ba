"""Asking for runs, and cancelling them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings as django_settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from annotation.errors import IdempotencyConflict
from annotation.models import Person
from trainer import dispatch, shelf
from trainer.errors import (
    BaseRunLost,
    InvalidConfig,
    RewardMissing,
    RewardNotUsed,
    RunAlreadyFinished,
    TooManyRuns,
    WrongCheckpointKind,
    WrongSnapshotKind,
)
from trainer.handoff.configs import ConfigError, build_config
from trainer.handoff.endpoints import is_endpoint
from trainer.models import Checkpoint, PipelineRun, Run, RunEvent, Snapshot

SNAPSHOT_KINDS = {
    Run.Kind.SFT: Snapshot.Kind.DEMONSTRATIONS,
    Run.Kind.REWARD: Snapshot.Kind.RANKINGS,
    Run.Kind.PPO: Snapshot.Kind.PROMPTS,
    Run.Kind.DPO: Snapshot.Kind.RANKINGS,
    Run.Kind.KTO: Snapshot.Kind.FEEDBACK,
    Run.Kind.SAMPLE: Snapshot.Kind.PROMPTS,
    Run.Kind.EVALUATE: Snapshot.Kind.PROMPTS,
    Run.Kind.QUANTIZE: Snapshot.Kind.DEMONSTRATIONS,
    Run.Kind.DISTILL: Snapshot.Kind.DEMONSTRATIONS,
    Run.Kind.PRUNE: Snapshot.Kind.DEMONSTRATIONS,
    Run.Kind.SHARE: Snapshot.Kind.DEMONSTRATIONS,
    Run.Kind.GENERATE: Snapshot.Kind.PROMPTS,
    Run.Kind.EXPAND: Snapshot.Kind.PROMPTS,
    Run.Kind.JUDGE: Snapshot.Kind.PROMPTS,
}
"""What each kind of run learns from, or answers."""

READ_REWARDS = {
    Run.Kind.PPO,
    Run.Kind.SAMPLE,
    Run.Kind.EVALUATE,
    Run.Kind.QUANTIZE,
    Run.Kind.DISTILL,
    Run.Kind.PRUNE,
    Run.Kind.SHARE,
}
"""Only PPO needs a reward model; the others measure with it, or choose."""

WATCHED = {Run.Kind.PPO, Run.Kind.EVALUATE}
"""A second reward model, that nothing learns from, may watch these."""

DELIVERING = {Run.Kind.SAMPLE, Run.Kind.GENERATE, Run.Kind.EXPAND, Run.Kind.JUDGE}
"""What they make goes into the campaign, where that is wanted. These may ask a model server."""

Origin = Checkpoint | Run
"""Where weights come from: a checkpoint, or a run that will have made one by then."""


def queue_run(
    *,
    kind: str,
    snapshot: Snapshot,
    base: Origin,
    reward: Origin | None = None,
    holdout: Checkpoint | None = None,
    config: Mapping[str, Any] | None = None,
    deliver: bool = True,
    nodes: int = 1,
    devices: int = 0,
    priority: int = 0,
    created_by: Person | None,
    idempotency_key: UUID | None = None,
    pipeline_run: PipelineRun | None = None,
    stage: str = "",
    now: datetime,
) -> Run:
    """A queued run; a worker takes it once what it builds on exists.

    ``config`` holds what differs from the stage's defaults. A sample run's candidates go to the labelers, and
    what a synthetic run makes up goes into the campaign, unless ``deliver`` is False. ``nodes`` machines
    share the run, each with so many ``devices`` (0: all that it has). The same ``idempotency_key`` gives the
    run that is there already; so does asking for the same thing, by whomever, while that run is not over: it
    would make the same.

    :raises Refusal: as ``check_request`` does.
    :raises IdempotencyConflict: the key came before with another request.
    :raises TooManyRuns: too many of this person's runs are not over yet.
    """
    settings = check_request(kind, snapshot, base, reward, holdout, config or {})
    asked_for: dict[str, Any] = {
        "campaign": snapshot.campaign,
        "kind": kind,
        "snapshot": snapshot,
        **_columns("base", base),
        **_columns("reward", reward),
        "holdout": holdout,
        "config": settings,
        "delivers": deliver and kind in DELIVERING,
        "nodes": nodes,
        "devices": devices,
        # A pipeline's stage is its own, even where somebody has asked for the same.
        **({"pipeline_run": pipeline_run, "stage": stage} if pipeline_run else {}),
    }
    digest = _digest(asked_for)
    if known := _asked_for_before(digest, idempotency_key):
        return known
    check_quota(created_by)
    shelf.share_snapshot(snapshot)
    return _store_once(
        {
            **asked_for,
            "request_digest": digest,
            "priority": priority,
            "created_by": created_by,
            "idempotency_key": idempotency_key,
            "created_at": now,
        }
    )


def _store_once(columns: Mapping[str, Any]) -> Run:
    """The run, and workers are told; or the one of somebody who was a moment faster."""
    try:
        run = _store(columns)
    except IntegrityError:
        if known := _asked_for_before(columns["request_digest"], columns["idempotency_key"]):
            return known
        raise
    dispatch.ring()
    return run


@transaction.atomic
def _store(columns: Mapping[str, Any]) -> Run:
    """The row, and the first line of its story."""
    run = Run.objects.create(**columns)
    by, now = actor(run.created_by), run.created_at
    RunEvent.objects.add(run, RunEvent.Kind.ASKED, actor=by, now=now, told={})
    return run


def check_request(
    kind: str,
    snapshot: Snapshot,
    base: Origin,
    reward: Origin | None,
    holdout: Checkpoint | None,
    config: Mapping[str, Any],
) -> dict[str, Any]:
    """All settings of such a run, those by default too.

    :raises WrongSnapshotKind: the snapshot is not what this kind of run reads.
    :raises WrongCheckpointKind: a reward model is given as the start, or something else as the reward model.
    :raises RewardMissing: PPO and best-of-n sampling need a reward model.
    :raises RewardNotUsed: this kind of run reads none, or no hold-out one.
    :raises InvalidConfig: a setting is not known or its value is not allowed.
    :raises BaseRunLost: the run to build on did not succeed.
    """
    _check_snapshot(kind, snapshot)
    _check_origin(base, wants_reward=False)
    _check_weights(kind, base)
    settings = _full_config(kind, config)
    _check_baseline(snapshot, settings)
    _check_reward(kind, reward, settings)
    _check_holdout(kind, holdout)
    return settings


def actor(person: Person | None) -> str:
    """As events name whoever did something. Not by name: people may be erased."""
    return f"person:{person.pk}" if person else "command"


def _asked_for_before(digest: str, idempotency_key: UUID | None) -> Run | None:
    """The run of the same request, or of another one for the same thing that is not over yet.

    :raises IdempotencyConflict: the key came before with another request.
    """
    same_key = Run.objects.filter(idempotency_key=idempotency_key, idempotency_key__isnull=False).first()
    if same_key and same_key.request_digest not in ("", digest):
        raise IdempotencyConflict(_("This was sent before, with other contents. Open the form anew."))
    return same_key or Run.objects.unfinished().filter(request_digest=digest).first()


def _digest(asked_for: Mapping[str, Any]) -> str:
    """sha256 of what decides what a run makes."""
    plain = {name: getattr(value, "pk", value) for name, value in asked_for.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()


def check_quota(person: Person | None) -> None:
    """:raises TooManyRuns: so many of this person's runs wait or run already."""
    most = django_settings.RUNS_PER_PERSON
    if person and Run.objects.unfinished().filter(created_by=person).count() >= most:
        raise TooManyRuns(
            _("%(count)d of your runs wait or run already. Cancel some, or wait for them.") % {"count": most}
        )


def cancel_run(run: Run, *, by: Person | None = None, now: datetime) -> None:
    """It is over at once, and so are those that wait for it; a worker that holds it stops within seconds.

    :raises RunAlreadyFinished: it is over.
    """
    # Meanwhile a worker may take it, give it back, or bring it to its end.
    while not run.cancel(actor=actor(by), now=now):
        run.refresh_from_db()
        if run.is_final:
            raise RunAlreadyFinished(_("This run is over already."))
    cancel_stranded_runs(now=now)


def cancel_stranded_runs(*, now: datetime) -> int:
    """End the runs whose inputs will never exist. Returns how many that were."""
    cancelled = 0
    while stranded := list(Run.objects.stranded().select_related("base_run", "reward_run")):
        for run in stranded:
            cancelled += run.cancel(actor="sweep", now=now, reason=_missing_input(run))
    return cancelled


def _missing_input(run: Run) -> str:
    lost = next(
        origin
        for origin in (run.base_run, run.reward_run)
        if origin and origin.status in {Run.Status.FAILED, Run.Status.CANCELLED}
    )
    words = {
        Run.Status.FAILED: _("It was to build on run %(run)s, which failed."),
        Run.Status.CANCELLED: _("It was to build on run %(run)s, which was cancelled."),
    }
    return words[Run.Status(lost.status)] % {"run": lost}


def _columns(role: str, origin: Origin | None) -> dict[str, Any]:
    """``base`` or ``base_run``, whichever the origin is."""
    if origin is None:
        return {}
    return {f"{role}_run" if isinstance(origin, Run) else role: origin}


def _check_snapshot(kind: str, snapshot: Snapshot) -> None:
    wanted = SNAPSHOT_KINDS[Run.Kind(kind)]
    if snapshot.kind != wanted:
        raise WrongSnapshotKind(
            _("This kind of run reads a snapshot of %(wanted)s; %(snapshot)s is one of %(kind)s.")
            % {"wanted": wanted.label, "snapshot": f"#{snapshot.pk}", "kind": snapshot.get_kind_display()}
        )


def _check_origin(origin: Origin, *, wants_reward: bool) -> None:
    if isinstance(origin, Run) and origin.status in {Run.Status.FAILED, Run.Status.CANCELLED}:
        raise BaseRunLost(_("Run %(run)s did not succeed, so nothing can build on it.") % {"run": origin})
    if (origin.kind == Checkpoint.Kind.REWARD) != wants_reward or not _has_weights(origin):
        role = _("the reward model") if wants_reward else _("the model to start from")
        raise WrongCheckpointKind(_("%(origin)s cannot be %(role)s.") % {"origin": origin, "role": role})


def _check_weights(kind: str, base: Origin) -> None:
    if kind not in DELIVERING and isinstance(base, Checkpoint) and is_endpoint(base.location):
        words = _("%(base)s is a model server: it can answer prompts, but there are no weights to train.")
        raise WrongCheckpointKind(words % {"base": base})


def _has_weights(origin: Origin) -> bool:
    return isinstance(origin, Checkpoint) or origin.makes_weights


def _check_baseline(snapshot: Snapshot, settings: Mapping[str, Any]) -> None:
    if not settings.get("against"):
        return
    answered = Run.objects.filter(kind__in=[Run.Kind.SAMPLE, Run.Kind.EVALUATE], status=Run.Status.SUCCEEDED)
    if not answered.filter(pk=settings["against"], campaign=snapshot.campaign).exists():
        words = _("against is %(run)s; it must be a finished run of this campaign that sampled or evaluated.")
        raise InvalidConfig(words % {"run": settings["against"]})


def _check_reward(kind: str, reward: Origin | None, settings: Mapping[str, Any]) -> None:
    if kind == Run.Kind.PPO and reward is None:
        raise RewardMissing(_("PPO needs a reward model: choose a checkpoint of that kind."))
    if settings.get("best_of", 1) > 1 and reward is None:
        raise RewardMissing(_("best_of needs a reward model: choose one, or set best_of to 1."))
    if kind not in READ_REWARDS and reward is not None:
        words = _("Only PPO, sampling, evaluation and compression read a reward model; leave it empty.")
        raise RewardNotUsed(words)
    if reward is not None:
        _check_origin(reward, wants_reward=True)


def _check_holdout(kind: str, holdout: Checkpoint | None) -> None:
    if holdout is None:
        return
    if kind not in WATCHED:
        raise RewardNotUsed(_("Only PPO and evaluation read a hold-out reward model; leave it empty."))
    _check_origin(holdout, wants_reward=True)


def _full_config(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return asdict(build_config(kind, values))
    except ConfigError as error:
        raise InvalidConfig(str(error)) from error
