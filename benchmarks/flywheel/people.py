"""Chat users who are a rule, and who leave the rows that the chat screen leaves.

They like what simulated labelers like, and are not sure of it: of two answers they take the better one with
the chance that the logistic function gives to the difference in points, and so it is with one answer and the
middle of all answers. Some do not allow training. A few press thumbs-up whatever they read.
"""

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db import transaction

from annotation.actions.labelers import person_without_password
from annotation.models import (
    BetterAnswer,
    Campaign,
    Chat,
    ChatConsent,
    ChatMessage,
    Person,
    Prompt,
    SideBySide,
    Thumb,
)
from annotation.simulated_labelers import appeal, demonstrate

RULE = (
    "The rule of simulated labelers, with doubt: 3 points more are a chance of 82 %. In 4 chats of 10 there "
    "are two answers, else a thumb; 3 of 10 who are disappointed write what they would rather have read."
)
DOUBT = 2.0
"""Points that make a choice e times as likely."""
CHATS, ABUSERS_CHATS = 6, 40
SIDE_BY_SIDE, TIES, WRITES = 0.4, 0.5, 0.3
DISAPPOINTING = 0
WITHOUT_CONSENT, ABUSERS = 0.05, 0.02
"""Shares of all people."""


@dataclass(frozen=True)
class Crowd:
    campaign: Campaign
    prompts: Sequence[Prompt]
    answers: Mapping[int, Sequence[str]]
    """What the model says to each prompt."""
    better: Mapping[str, str]
    """What could be said instead, by the prompt's source."""
    served: Callable[[Sequence[ChatMessage]], None]
    """Notes which checkpoint wrote these."""
    rng: random.Random

    @property
    def middle(self) -> float:
        return median(appeal(text) for texts in self.answers.values() for text in texts)


@transaction.atomic
def chat(crowd: Crowd, count: int, *, now: datetime) -> dict[str, int]:
    """Everybody's chats in the week before ``now``, and what they said of the answers. Returns how many there
    are of each kind of people."""
    told = {"people": count, "without_consent": 0, "abusers": 0}
    for number in range(count):
        person = person_without_password(f"simulated-chat-{number + 1}", is_simulated=True)
        abuses = number < ABUSERS * count
        allows = abuses or number >= (ABUSERS + WITHOUT_CONSENT) * count
        told["abusers"] += abuses
        told["without_consent"] += not allows
        ChatConsent.objects.create(
            campaign=crowd.campaign, person=person, allows_training=allows, changed_at=now
        )
        start = now - timedelta(minutes=crowd.rng.uniform(6 * 60, 7 * 24 * 60))
        if abuses:
            _abuse(crowd, person, start)
        else:
            _chats(crowd, person, start)
    return told


def _chats(crowd: Crowd, person: Person, at: datetime) -> None:
    asked = crowd.rng.sample(list(crowd.prompts), min(CHATS, len(crowd.prompts)))
    for prompt in asked:
        at += timedelta(seconds=crowd.rng.uniform(40, 300))
        texts = sorted(set(crowd.answers[prompt.pk]))
        if len(texts) > 1 and crowd.rng.random() < SIDE_BY_SIDE:
            _compare(crowd, person, prompt, crowd.rng.sample(texts, 2), at)
        else:
            _judge(crowd, person, prompt, crowd.rng.choice(texts), at)


def _abuse(crowd: Crowd, person: Person, at: datetime) -> None:
    for prompt in crowd.rng.choices(list(crowd.prompts), k=ABUSERS_CHATS):
        at += timedelta(seconds=crowd.rng.uniform(5, 30))
        answer = next(_told(crowd, person, prompt, [crowd.rng.choice(crowd.answers[prompt.pk])], at))
        Thumb.objects.create(message=answer, is_up=True, given_at=at)


def _compare(crowd: Crowd, person: Person, prompt: Prompt, texts: Sequence[str], at: datetime) -> None:
    left, right = _told(crowd, person, prompt, texts, at)
    SideBySide.objects.create(
        left=left,
        right=right,
        verdict=_verdict(*map(appeal, texts), crowd.rng),
        asked_at=at,
        answered_at=at + timedelta(seconds=crowd.rng.uniform(5, 30)),
    )


def _judge(crowd: Crowd, person: Person, prompt: Prompt, text: str, at: datetime) -> None:
    answer = next(_told(crowd, person, prompt, [text], at))
    is_up = _prefers(appeal(text) - crowd.middle, crowd.rng)
    Thumb.objects.create(message=answer, is_up=is_up, given_at=at)
    if appeal(text) <= DISAPPOINTING and crowd.rng.random() < WRITES:
        instead = demonstrate(crowd.better[prompt.source], crowd.rng)
        BetterAnswer.objects.create(message=answer, text=instead, written_at=at)


def _told(
    crowd: Crowd, person: Person, prompt: Prompt, texts: Sequence[str], at: datetime
) -> Iterator[ChatMessage]:
    """The answers, in a chat of their own."""
    chat = Chat.objects.create(campaign=crowd.campaign, person=person, created_at=at, updated_at=at)
    said = None
    for turn in prompt.messages:
        said = ChatMessage.objects.create(
            chat=chat, parent=said, role=turn["role"], text=turn["content"], created_at=at, finished_at=at
        )
    origins = [ChatMessage.Origin.FIRST, ChatMessage.Origin.BESIDE]
    answers = [
        ChatMessage.objects.create(
            chat=chat,
            parent=said,
            role=ChatMessage.Role.ASSISTANT,
            origin=origin,
            text=text,
            created_at=at,
            finished_at=at,
        )
        for text, origin in zip(texts, origins, strict=False)
    ]
    crowd.served(answers)
    return iter(answers)


def _verdict(left: float, right: float, rng: random.Random) -> str:
    if left == right and rng.random() < TIES:
        is_bad = left <= DISAPPOINTING
        return SideBySide.Verdict.BOTH_BAD if is_bad else SideBySide.Verdict.TIE
    return SideBySide.Verdict.LEFT if _prefers(left - right, rng) else SideBySide.Verdict.RIGHT


def _prefers(lead: float, rng: random.Random) -> bool:
    return rng.random() < 1 / (1 + math.exp(-lead / DOUBT))
