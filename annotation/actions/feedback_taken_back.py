"""Taking back what chat feedback was made into: with a tombstone for each row, and without a trace of the
conversation."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from annotation.actions.feedback_found import allowing_training
from annotation.actions.feedback_made import CHAT
from annotation.actions.forgetting import BATCH, bury, remove_demonstrations, remove_rankings
from annotation.messages import digest_of
from annotation.models import (
    Assignment,
    Campaign,
    CandidateSet,
    Completion,
    Demonstration,
    FeedbackUse,
    Person,
    Prompt,
    Ranking,
    Tombstone,
)

GONE = "…"
"""Stands where a text was whose author took it back."""


def take_back(uses: QuerySet[FeedbackUse], *, now: datetime) -> int:
    """Delete the rows, a few at a time. Stopped in between, it goes on from there when it is called again."""
    taken = 0
    while some := _take_back_batch(uses, now):
        taken += some
    return taken


def take_back_withdrawn(campaign: Campaign, *, now: datetime) -> int:
    """Delete what came from people who no longer allow training, and from chats that are gone."""
    allowed = allowing_training(campaign).filter(person=OuterRef("person"))
    stale = campaign.feedback_uses.filter(~Exists(allowed) | Q(message__isnull=True))
    return take_back(stale, now=now) if stale.exists() else 0


def take_back_of(person: Person, *, now: datetime, campaign: Campaign | None = None) -> int:
    """Delete everything that came from a person's chats, in one campaign or all."""
    uses = FeedbackUse.objects.filter(person=person)
    return take_back(uses.filter(campaign=campaign) if campaign else uses, now=now)


@transaction.atomic
def _take_back_batch(uses: QuerySet[FeedbackUse], now: datetime) -> int:
    some = list(uses.select_for_update(of=("self",)).order_by("pk")[:BATCH])
    if not some:
        return 0
    numbers = [use.pk for use in some]
    alone = [use for use in some if use.is_good is not None]
    bury(Tombstone.Kind.FEEDBACK, [(use.pk, use.campaign_id) for use in alone], Tombstone.Mode.REMOVED, now)
    _drop_choices(some, now)
    written = Demonstration.objects.filter(feedback_use__in=numbers)
    remove_demonstrations(list(written), now)
    FeedbackUse.objects.filter(pk__in=numbers).delete()
    # An imported prompt that somebody happened to ask is nobody's.
    from_chats = Prompt.objects.filter(source=CHAT, author__isnull=False)
    for prompt in from_chats.filter(pk__in={use.prompt_id for use in some}).order_by("pk"):
        _let_go(prompt, now)
    return len(some)


def _drop_choices(uses: Sequence[FeedbackUse], now: datetime) -> None:
    chosen = [use.ranking_id for use in uses if use.ranking_id]
    turns = list(Assignment.objects.filter(rankings__in=chosen))
    sets = [turn.candidate_set_id for turn in turns]
    answers = list(Completion.objects.filter(candidate_sets__in=sets).values_list("pk", flat=True))
    remove_rankings(turns, now)
    CandidateSet.objects.filter(pk__in=sets).delete()
    Completion.objects.filter(pk__in=answers).delete()


def _let_go(prompt: Prompt, now: datetime) -> None:
    """It goes with the last feedback on it; where others have worked on it, their work stays without it."""
    others = list(prompt.feedback_uses.order_by("pk").values_list("person", flat=True))
    if others:
        if prompt.author_id not in others:
            Prompt.objects.filter(pk=prompt.pk).update(author=others[0])
        return
    # A judge's reasons may repeat what was said there.
    by_models = Assignment.objects.filter(candidate_set__prompt=prompt, purpose=Assignment.Purpose.JUDGE)
    remove_rankings(list(by_models), now)
    rankings = Ranking.objects.filter(assignment__candidate_set__prompt=prompt)
    written = prompt.demonstrations.exclude(status=Demonstration.Status.DRAFT)
    _close(prompt)
    if not rankings.exists() and not written.exists():
        prompt.delete()
        return
    removed = Tombstone.Mode.REMOVED
    bury(Tombstone.Kind.RANKING, rankings.values_list("pk", "assignment__campaign"), removed, now)
    bury(Tombstone.Kind.DEMONSTRATION, written.values_list("pk", "prompt__campaign"), removed, now)
    _blank(prompt)
    rankings.update(edited=None)


def _close(prompt: Prompt) -> None:
    """Nobody works on it any more."""
    prompt.demonstrations.drafts().delete()
    unfinished = [Assignment.Status.OPEN, Assignment.Status.CLAIMED]
    Assignment.objects.filter(candidate_set__prompt=prompt, status__in=unfinished).delete()


def _blank(prompt: Prompt) -> None:
    prompt.completions.update(text=GONE)
    Prompt.objects.filter(pk=prompt.pk).update(
        messages=[{"role": "user", "content": GONE}],
        digest=digest_of(["taken back", prompt.pk]),
        status=Prompt.Status.REJECTED,
        author=None,
        findings=[],
    )
