"""The chat feedback of those who allow training, with the conversations that it is about."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from annotation.errors import BadInput
from annotation.feedback_choice import Feedback, Says
from annotation.messages import check_prompt, check_text
from annotation.models import (
    BetterAnswer,
    Campaign,
    Chat,
    ChatConsent,
    ChatMessage,
    FeedbackUse,
    SideBySide,
    Thumb,
)

Source = FeedbackUse.Source
Messages = Mapping[int, ChatMessage]

CHATS_AT_ONCE = 500
_VERDICTS = {
    SideBySide.Verdict.LEFT: Says.FIRST,
    SideBySide.Verdict.RIGHT: Says.SECOND,
    SideBySide.Verdict.TIE: Says.TIE,
    SideBySide.Verdict.BOTH_BAD: Says.BOTH_BAD,
}


def allowing_training(campaign: Campaign) -> QuerySet[ChatConsent]:
    """Those whose chats may train a model, as they last said."""
    return ChatConsent.objects.filter(campaign=campaign, allows_training=True)


def found_feedback(campaign: Campaign, *, weak: bool, now: datetime) -> Iterator[Feedback]:
    """Of those who allow training, no older than the campaign keeps what people did.

    ``weak`` adds answers that were made again and messages that were sent again in other words.
    """
    chats = Chat.objects.filter(campaign=campaign, person__in=allowing_training(campaign).values("person"))
    oldest = now - timedelta(days=campaign.retention_days) if campaign.retention_days is not None else None
    whose = dict(chats.order_by("pk").values_list("pk", "person"))
    numbers = list(whose)
    for start in range(0, len(numbers), CHATS_AT_ONCE):
        some = numbers[start : start + CHATS_AT_ONCE]
        messages = {one.pk: one for one in ChatMessage.objects.filter(chat__in=some)}
        for one in _in_chats(some, messages, whose, weak=weak):
            if oldest is None or one.given_at >= oldest:
                yield one


def how_much(campaign: Campaign) -> int:
    """Pieces of feedback, of whomever: quickly counted."""
    thumbs = Thumb.objects.filter(message__chat__campaign=campaign).count()
    choices = _choices(SideBySide.objects.filter(left__chat__campaign=campaign)).count()
    return thumbs + choices + BetterAnswer.objects.filter(message__chat__campaign=campaign).count()


def given_without_consent(campaign: Campaign) -> tuple[int, int]:
    """How much feedback of how many people stays where it is."""
    allowed = allowing_training(campaign).values("person")
    given = [
        Thumb.objects.filter(message__chat__campaign=campaign).exclude(message__chat__person__in=allowed),
        BetterAnswer.objects.filter(message__chat__campaign=campaign).exclude(
            message__chat__person__in=allowed
        ),
    ]
    people = {pk for rows in given for pk in rows.values_list("message__chat__person", flat=True)}
    choices = _choices(SideBySide.objects.filter(left__chat__campaign=campaign)).exclude(
        left__chat__person__in=allowed
    )
    people |= set(choices.values_list("left__chat__person", flat=True))
    return sum(rows.count() for rows in given) + choices.count(), len(people)


def _choices(rows: QuerySet[SideBySide]) -> QuerySet[SideBySide]:
    return rows.exclude(verdict__in=["", SideBySide.Verdict.SKIPPED])


def _in_chats(
    chats: Sequence[int], messages: Messages, whose: Mapping[int, int], *, weak: bool
) -> Iterator[Feedback]:
    def about(source: str, answer: ChatMessage, **said: Any) -> Feedback:
        return _about(source, answer, messages, whose[answer.chat_id], **said)

    for thumb in Thumb.objects.filter(message__chat__in=chats):
        says = Says.UP if thumb.is_up else Says.DOWN
        yield about(Source.THUMB, messages[thumb.message_id], given_at=thumb.given_at, says=says)
    for asked in _choices(SideBySide.objects.filter(left__chat__in=chats)):
        answered = asked.answered_at or asked.asked_at
        yield about(
            Source.SIDE_BY_SIDE,
            messages[asked.left_id],
            given_at=answered,
            says=_VERDICTS[SideBySide.Verdict(asked.verdict)],
            other=messages.get(asked.right_id),
            seconds=max(0.0, (answered - asked.asked_at).total_seconds()),
        )
    for better in BetterAnswer.objects.filter(message__chat__in=chats):
        answer = messages[better.message_id]
        yield about(
            Source.BETTER_ANSWER, answer, given_at=better.written_at, says=Says.INSTEAD, text=better.text
        )
    if weak:
        for source, answer, at in _weak_signs(messages):
            yield about(source, answer, given_at=at, says=Says.DOWN, is_weak=True)


def _about(
    source: str,
    answer: ChatMessage,
    messages: Messages,
    person_id: int,
    *,
    other: ChatMessage | None = None,
    text: str | None = None,
    **said: Any,
) -> Feedback:
    answers = [answer] if other is None else [answer, other]
    texts = tuple(one.text for one in answers) if text is None else (text,)
    conversation = _before(answer, messages)
    is_whole = text is not None or all(one.status == ChatMessage.Status.FINISHED for one in answers)
    return Feedback(
        source=source,
        message_id=answer.pk,
        person_id=person_id,
        conversation=conversation,
        texts=texts,
        is_usable=is_whole and _is_usable(conversation, texts),
        **said,
    )


def _before(answer: ChatMessage, messages: Messages) -> tuple[tuple[str, str], ...]:
    """What the model had read: the way from the chat's beginning, without answers of which nothing is there
    and what was asked for them."""
    way: list[ChatMessage] = []
    parent = answer.parent_id
    while parent is not None and parent in messages:
        way.append(messages[parent])
        parent = messages[parent].parent_id
    said: list[tuple[str, str]] = []
    for message in reversed(way):
        if message.role == ChatMessage.Role.ASSISTANT and not message.text.strip():
            said.pop()
        else:
            said.append((message.role, message.text))
    return tuple(said) or (("user", ""),)


def _is_usable(conversation: Sequence[tuple[str, str]], texts: Sequence[str]) -> bool:
    try:
        check_prompt([{"role": role, "content": text} for role, text in conversation])
        return all(check_text(text).strip() for text in texts) and len(set(texts)) == len(texts)
    except BadInput:
        return False


def _weak_signs(messages: Messages) -> Iterator[tuple[str, ChatMessage, datetime]]:
    """The answers that somebody wanted another one for, or asked in other words after, and when."""
    replies: dict[tuple[int, int | None], list[ChatMessage]] = {}
    for message in sorted(messages.values(), key=lambda one: (one.created_at, one.pk)):
        before = replies.setdefault((message.chat_id, message.parent_id), [])
        if message.origin == ChatMessage.Origin.AGAIN and (answers := _main(before)):
            yield Source.REGENERATED, answers[-1], message.created_at
        if message.origin == ChatMessage.Origin.EDITED and before:
            said = _main(replies.get((message.chat_id, before[-1].pk), []))
            if said:
                yield Source.EDITED, said[-1], message.created_at
        before.append(message)


def _main(siblings: Sequence[ChatMessage]) -> list[ChatMessage]:
    return [one for one in siblings if one.role == "assistant" and one.origin != ChatMessage.Origin.BESIDE]
