"""Turning one piece of chat feedback into a row that a snapshot takes."""

from datetime import datetime
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction

from annotation.actions.candidates import candidates_digest
from annotation.actions.prompts import add_prompt
from annotation.feedback_choice import Feedback, Says
from annotation.models import (
    Assignment,
    Campaign,
    CandidateSet,
    Completion,
    Demonstration,
    FeedbackUse,
    Prompt,
    Ranking,
)

CHAT = "chat"
"""The source of prompts that come from chats."""
_KEYS = UUID("b1b4a6ce-6d0f-4d53-9a3e-0d6a64f5f3c8")
"""A space of our own for the keys of what chats give: the same feedback, the same key."""


def make(feedback: Feedback, *, campaign: Campaign, weight: float, now: datetime) -> FeedbackUse | None:
    """The row and where it comes from; None if there is one, or its person answered the prompt before."""
    try:
        with transaction.atomic():
            prompt = _prompt(feedback, campaign)
            return FeedbackUse.objects.create(
                campaign=campaign,
                person_id=feedback.person_id,
                message_id=feedback.message_id,
                source=feedback.source,
                prompt=prompt,
                weight=weight,
                given_at=feedback.given_at,
                made_at=now,
                **_made(feedback, prompt),
            )
    except IntegrityError:
        # Somebody else does the same at this moment, or the chat was deleted since we read it.
        return None


def show_to_labelers(campaign: Campaign, digests: set[str]) -> int:
    """Have the prompts of chats with these digests answered and ranked. Returns how many were not before."""
    from_chats = Prompt.objects.filter(campaign=campaign, status=Prompt.Status.CHAT)
    wanted = [pk for pk, digest in from_chats.values_list("pk", "digest") if digest in digests]
    return sum(
        Prompt.objects.filter(pk__in=wanted[start : start + 500]).update(status=Prompt.Status.READY)
        for start in range(0, len(wanted), 500)
    )


def _prompt(feedback: Feedback, campaign: Campaign) -> Prompt:
    prompt, is_new = add_prompt(campaign=campaign, messages=feedback.messages, source=CHAT)
    if is_new:
        prompt.status, prompt.author_id = Prompt.Status.CHAT, feedback.person_id
        prompt.save(update_fields=["status", "author"])
    return prompt


def _made(feedback: Feedback, prompt: Prompt) -> dict[str, object]:
    match feedback.source:
        case FeedbackUse.Source.SIDE_BY_SIDE:
            return {"ranking": _ranking(feedback, prompt)}
        case FeedbackUse.Source.BETTER_ANSWER:
            return {"demonstration": _demonstration(feedback, prompt)}
    return {"answer": feedback.texts[0], "is_good": feedback.says == Says.UP}


def _ranking(feedback: Feedback, prompt: Prompt) -> Ranking:
    """Two candidates that no labeler is asked about, and the choice between them."""
    digest = candidates_digest(prompt.digest, feedback.texts)
    candidate_set = CandidateSet.objects.create(prompt=prompt, digest=digest)
    first, second = (Completion.objects.create(prompt=prompt, text=text).pk for text in feedback.texts)
    candidate_set.completions.set([first, second])
    candidate_set.authors.add(feedback.person_id)
    assignment = Assignment.objects.create(
        candidate_set=candidate_set,
        campaign_id=prompt.campaign_id,
        purpose=Assignment.Purpose.CHAT,
        status=Assignment.Status.SUBMITTED,
        labeler_id=feedback.person_id,
        shown_order=[first, second],
    )
    tiers = {Says.FIRST: [[first], [second]], Says.SECOND: [[second], [first]], Says.TIE: [[first, second]]}
    return Ranking.objects.create(
        assignment=assignment,
        labeler_id=feedback.person_id,
        tiers=tiers.get(feedback.says, []),
        unacceptable=[first, second] if feedback.says == Says.BOTH_BAD else [],
        shown_order=[first, second],
        seconds_spent=feedback.seconds,
        idempotency_key=_key(feedback),
        submitted_at=feedback.given_at,
    )


def _demonstration(feedback: Feedback, prompt: Prompt) -> Demonstration:
    """Handed in: a reviewer decides whether a model may learn it."""
    return Demonstration.objects.create(
        prompt=prompt,
        labeler_id=feedback.person_id,
        status=Demonstration.Status.SUBMITTED,
        turns=[{"role": "assistant", "content": feedback.texts[0]}],
        idempotency_key=_key(feedback),
        submitted_at=feedback.given_at,
    )


def _key(feedback: Feedback) -> UUID:
    return uuid5(_KEYS, f"{feedback.source} {feedback.message_id}")
