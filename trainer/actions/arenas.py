"""Blind arenas: checkpoints answer the same held-out prompts, and people choose until the votes suffice."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import combinations
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.actions.candidates import ask_for_votes, pair_up
from annotation.errors import BadInput
from annotation.messages import check_text
from annotation.models import Assignment, Campaign, Completion, Person, Prompt
from annotation.models.assignments import AssignmentQuerySet
from trainer.actions.arena_votes import (
    CastVote,
    entries_of,
    find_winner,
    rate_of,
    verdicts_of,
    votes_of,
)
from trainer.actions.runs import cancel_run, queue_run
from trainer.actions.serving import promoted_checkpoint
from trainer.actions.snapshots import freeze_snapshot
from trainer.errors import ArenaOver, TooFewCheckpoints
from trainer.handoff.rundir import RunDirectory
from trainer.models import (
    Arena,
    ArenaEntry,
    ArenaPair,
    Checkpoint,
    Evaluation,
    Run,
    SampledCompletion,
    Snapshot,
)

URGENT = 2
"""Priority of an arena's pairs: a promotion waits for them."""


def start_arena(
    *,
    campaign: Campaign,
    checkpoints: Sequence[Checkpoint],
    name: str,
    prompts: int,
    votes_per_pair: int = 1,
    max_new_tokens: int = 256,
    created_by: Person | None,
    now: datetime,
) -> Arena:
    """Have each checkpoint answer the same held-out prompts; labelers are asked once all of them have.

    :raises TooFewCheckpoints: there are not two of them, or one is a reward model.
    :raises NothingToFreeze: the campaign has no prompts.
    :raises TooManyRuns: too many of this person's runs are not over yet.
    """
    chosen = list(dict.fromkeys(checkpoints))
    if len(chosen) < 2 or any(one.kind == Checkpoint.Kind.REWARD for one in chosen):
        raise TooFewCheckpoints(_("Choose at least two checkpoints that can answer."))
    # In a transaction of its own, that of one moment.
    snapshot = freeze_snapshot(campaign=campaign, kind=Snapshot.Kind.PROMPTS, created_by=created_by, now=now)
    with transaction.atomic():
        arena = Arena.objects.create(
            campaign=campaign,
            name=name,
            snapshot=snapshot,
            prompts=prompts,
            votes_per_pair=votes_per_pair,
            created_by=created_by,
            created_at=now,
        )
        for checkpoint in chosen:
            run = _queue_answers(arena, checkpoint, max_new_tokens, now)
            ArenaEntry.objects.create(arena=arena, checkpoint=checkpoint, run=run)
    return arena


def keep_answers(run: Run, checkpoint: Checkpoint) -> None:
    """Store what a checkpoint answered in an arena, where the run's files are: nobody is shown it yet."""
    if not run.arena_entries.exists():
        return
    said = {
        sample["prompt_id"]: sample
        for sample in RunDirectory(run.folder).read_samples()
        if _can_be_shown(sample["completion"])
    }
    for prompt in Prompt.objects.filter(pk__in=said).order_by("pk"):
        answer = said[prompt.pk]
        SampledCompletion.objects.create(
            completion=Completion.objects.create(prompt=prompt, text=answer["completion"]),
            run=run,
            checkpoint=checkpoint,
            finished=answer["finished"],
            tokens=answer["tokens"],
        )


def look_at_arenas(*, now: datetime) -> None:
    """Open those whose checkpoints have answered, and end those that are decided or have no votes to come."""
    for arena in Arena.objects.answering().order_by("pk"):
        _open_or_give_up(arena, now)
    for arena in Arena.objects.open().order_by("pk"):
        look_at_arena(arena, now=now)


def stop_arena(arena: Arena, *, by: Person | None, now: datetime) -> None:
    """No more votes are asked for; nobody has won.

    :raises ArenaOver: it ended already.
    """
    for entry in arena.entries.select_related("run"):
        if not entry.run.is_final and entry.run.arena_entries.count() == 1:
            cancel_run(entry.run, by=by, now=now)
    if not _stop(arena, Arena.WhyStopped.BY_HAND, now):
        raise ArenaOver(_("This arena is over already."))


def look_at_arena(arena: Arena, *, now: datetime) -> None:
    """End it where the votes name a winner, or where there are none to come."""
    cast = votes_of(arena)
    winner = find_winner(arena, verdicts_of(arena, cast))
    if winner is not None:
        _end(arena, now, status=Arena.Status.DECIDED, winner=winner)
    elif not _turns(arena).exclude(status=Assignment.Status.SUBMITTED).exists():
        _stop(arena, Arena.WhyStopped.NO_WINNER, now)


def _queue_answers(arena: Arena, checkpoint: Checkpoint, max_new_tokens: int, now: datetime) -> Run:
    return queue_run(
        kind=Run.Kind.SAMPLE,
        snapshot=arena.snapshot,
        base=checkpoint,
        config={
            "split": "held_out",
            "prompts": arena.prompts,
            "completions_per_prompt": 1,
            "max_new_tokens": max_new_tokens,
            # The same seed chooses the same prompts for each checkpoint.
            "seed": arena.pk,
        },
        deliver=False,
        created_by=arena.created_by,
        now=now,
    )


def _open_or_give_up(arena: Arena, now: datetime) -> None:
    entries = list(arena.entries.select_related("run").order_by("pk"))
    lost = [entry for entry in entries if entry.run.status in {Run.Status.FAILED, Run.Status.CANCELLED}]
    if lost:
        _stop(arena, Arena.WhyStopped.NO_ANSWERS, now, unanswered=lost[0])
    elif all(entry.run.status == Run.Status.SUCCEEDED for entry in entries):
        _open(arena, entries, now)


@transaction.atomic
def _open(arena: Arena, entries: Sequence[ArenaEntry], now: datetime) -> None:
    """Pair the answers up, and ask labelers."""
    if not Arena.objects.answering().filter(pk=arena.pk).update(status=Arena.Status.OPEN):
        return
    answers: dict[int, dict[int, SampledCompletion]] = defaultdict(dict)
    for entry in entries:
        samples = SampledCompletion.objects.filter(run=entry.run, checkpoint=entry.checkpoint)
        for sample in samples.select_related("completion__prompt__campaign"):
            answers[sample.completion.prompt_id][entry.checkpoint_id] = sample
    for by_checkpoint in answers.values():
        for one, other in combinations(entries, 2):
            left, right = (by_checkpoint.get(entry.checkpoint_id) for entry in (one, other))
            # Of two equal answers nobody can say which is better.
            if left and right and left.completion.text != right.completion.text:
                _pair_up(arena, left, right)
    arena.refresh_from_db()


def _pair_up(arena: Arena, left: SampledCompletion, right: SampledCompletion) -> None:
    candidate_set = pair_up(left.completion, right.completion)
    ask_for_votes(candidate_set, arena.votes_per_pair, priority=URGENT)
    ArenaPair.objects.create(arena=arena, candidate_set=candidate_set, left=left, right=right)


def _stop(arena: Arena, why: Arena.WhyStopped, now: datetime, **more: Any) -> bool:
    return _end(arena, now, status=Arena.Status.STOPPED, why_stopped=why, **more)


@transaction.atomic
def _end(arena: Arena, now: datetime, *, status: Arena.Status, **more: Any) -> bool:
    """Return False if it ended before."""
    still = Arena.objects.filter(pk=arena.pk, status__in=[Arena.Status.ANSWERING, Arena.Status.OPEN])
    cast = votes_of(arena)
    verdicts = verdicts_of(arena, cast)
    figures = [{"one": one, "other": other, **asdict(told)} for (one, other), told in verdicts.items()]
    if not still.update(status=status, figures={"pairs": figures}, ended_at=now, **more):
        return False
    # Whoever holds a turn may finish it; it changes nothing any more.
    _turns(arena).open().delete()
    if status == Arena.Status.DECIDED or cast:
        _keep_evaluations(arena, cast, now)
    arena.refresh_from_db()
    return True


def _keep_evaluations(arena: Arena, cast: Sequence[CastVote], now: datetime) -> None:
    """For the promotion gate: how each stood against the one that was promoted, or against the first."""
    entries = entries_of(arena)
    promoted = promoted_checkpoint(arena.campaign)
    rival = promoted.pk if promoted and promoted.pk in entries else entries[0]
    for checkpoint in entries:
        if checkpoint != rival and (rate := rate_of(cast, checkpoint, rival, arena.error_rate)):
            Evaluation.objects.create(
                checkpoint_id=checkpoint,
                campaign=arena.campaign,
                figures={**rate, "arena": arena.pk, "arena_against": rival},
                measured_at=now,
            )


def _turns(arena: Arena) -> AssignmentQuerySet:
    sets = arena.pairs.values("candidate_set")
    return Assignment.objects.filter(purpose=Assignment.Purpose.ARENA, candidate_set__in=sets)


def _can_be_shown(text: str) -> bool:
    try:
        return bool(check_text(text).strip())
    except BadInput:
        return False
