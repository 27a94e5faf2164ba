"""Chats with a campaign's model. Their messages are a tree: what is asked or answered again is a sibling."""

import random
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from annotation.actions.feedback_taken_back import take_back_of
from annotation.errors import AnswerTaken, BadInput, ChatLimit, NoChat
from annotation.messages import check_text
from annotation.models import Campaign, Chat, ChatConsent, ChatMessage, Person, SideBySide

MOST_CHARACTERS = 8_000
"""In one message."""
MOST_MESSAGES = 200
"""Of a chat that one goes on with."""
A_MINUTE, A_DAY = 20, 500
"""Messages of one person."""
A_DAY_AS_GUEST = 60
ABANDONED_AFTER = timedelta(minutes=10)
"""An answer begun, or asked for, so long ago has lost its writer: the longest takes a few minutes."""
TITLE = 60

USER, ASSISTANT = ChatMessage.Role.USER, ChatMessage.Role.ASSISTANT
Origin, Status = ChatMessage.Origin, ChatMessage.Status


def create_guest(*, campaign: Campaign) -> Person:
    """Somebody without an account, for as long as their browser remembers them.

    :raises NoChat: the campaign's chat is for people with an account.
    """
    if not (campaign.offers_chat and campaign.chat_allows_guests):
        raise NoChat(_("This chat needs an account. Sign in first."))
    guest = Person(username=f"guest-{get_random_string(12).lower()}", role=Person.Role.GUEST)
    guest.set_unusable_password()
    guest.save()
    return guest


def consent_to_training(*, campaign: Campaign, person: Person, allows: bool, now: datetime) -> ChatConsent:
    """Remember what they said; the last word counts."""
    consent, _is_new = ChatConsent.objects.update_or_create(
        campaign=campaign, person=person, defaults={"allows_training": allows, "changed_at": now}
    )
    if not allows:
        take_back_of(person, campaign=campaign, now=now)
    return consent


def begin_chat(*, campaign: Campaign, person: Person, now: datetime) -> Chat:
    """:raises NoChat: the campaign offers none to this person."""
    require_chat(campaign, person)
    return Chat.objects.create(campaign=campaign, person=person, created_at=now, updated_at=now)


def require_chat(campaign: Campaign, person: Person) -> None:
    """:raises NoChat: the campaign offers none to this person."""
    if not campaign.offers_chat or (person.is_guest and not campaign.chat_allows_guests):
        raise NoChat(_("This campaign offers no chat now."))


@transaction.atomic
def send_message(
    *, chat: Chat, text: str, follows: ChatMessage | None, edits: ChatMessage | None, key: UUID, now: datetime
) -> ChatMessage:
    """The user's message behind the answer ``follows``; or in the place of ``edits``, in other words.

    The same key is the same message.

    :raises NoChat: the campaign offers none any more.
    :raises ChatLimit: too many messages in a short time.
    :raises BadInput: it is empty, too long or cannot be stored; or it does not follow an answer.
    """
    if known := chat.messages.filter(idempotency_key=key).first():
        return known
    require_chat(chat.campaign, chat.person)
    _check_pace(chat.person, now)
    checked = check_text(text).strip()
    if not checked or len(checked) > MOST_CHARACTERS:
        words = _("A message has 1 to %(most)s characters.") % {"most": f"{MOST_CHARACTERS:,}"}
        raise BadInput(words)
    parent = edits.parent if edits else follows
    if (parent and parent.role != ASSISTANT) or (edits and edits.role != USER):
        raise BadInput(_("A message follows an answer."))
    if chat.messages.count() >= MOST_MESSAGES:
        raise BadInput(_("This chat is long enough. Begin a new one."))
    message = _add(chat, parent, USER, Origin.EDITED if edits else Origin.FIRST, now, text=checked, key=key)
    title = chat.title or checked.splitlines()[0][:TITLE]
    Chat.objects.filter(pk=chat.pk).update(title=title, updated_at=now)
    return message


@transaction.atomic
def begin_answers(
    *, message: ChatMessage, now: datetime, rng: random.Random, again: bool = False
) -> list[ChatMessage]:
    """Room for the answer to a user's message: of a share of them, for two that the user compares. Those that
    are there already, unless another one is wanted ``again``.

    :raises NoChat: the campaign offers none any more.
    :raises ChatLimit: too many answers in a short time.
    """
    chat = message.chat
    require_chat(chat.campaign, chat.person)
    there = list(message.replies.order_by("pk"))
    if there and not again:
        return there
    if again:
        _check_pace(chat.person, now)
        return [_add(chat, message, ASSISTANT, Origin.AGAIN, now)]
    answers = [_add(chat, message, ASSISTANT, Origin.FIRST, now)]
    if rng.random() * 100 < chat.campaign.chat_compares_percent:
        answers.append(_add(chat, message, ASSISTANT, Origin.BESIDE, now))
        left, right = rng.sample(answers, 2)
        SideBySide.objects.create(left=left, right=right, asked_at=now)
    return answers


def take_answer(answer: ChatMessage, *, now: datetime) -> None:
    """Begin to write it.

    :raises AnswerTaken: another window did, or it is over.
    """
    waiting = ChatMessage.objects.filter(pk=answer.pk, status=Status.WRITING, begun_at=None)
    if not waiting.update(begun_at=now):
        raise AnswerTaken(_("This answer is being written in another window."))


def keep_words(answer: ChatMessage, text: str) -> bool:
    """Keep what there is of it. False where the user has stopped it."""
    return bool(ChatMessage.objects.filter(pk=answer.pk, status=Status.WRITING).update(text=text))


def end_answer(answer: ChatMessage, text: str, status: str, *, now: datetime) -> bool:
    """It is written, broken off or failed. False where the user stopped it first: then it ends with the words
    that there were by then."""
    same = ChatMessage.objects.filter(pk=answer.pk)
    if same.filter(status=Status.WRITING).update(text=text, status=status, finished_at=now):
        return True
    same.filter(status=Status.STOPPED).update(text=text)
    return False


def stop_answer(answer: ChatMessage, *, now: datetime) -> None:
    """What there is of it is kept."""
    writing = ChatMessage.objects.filter(pk=answer.pk, status=Status.WRITING)
    writing.update(status=Status.STOPPED, finished_at=now)


def end_abandoned_answers(*, now: datetime) -> int:
    """Those whose writer died. Returns how many."""
    begun = ChatMessage.objects.filter(status=Status.WRITING, begun_at__lte=now - ABANDONED_AFTER)
    never = ChatMessage.objects.filter(
        status=Status.WRITING, begun_at=None, created_at__lte=now - ABANDONED_AFTER
    )
    return sum(rows.update(status=Status.STOPPED, finished_at=now) for rows in (begun, never))


def conversation_before(answer: ChatMessage) -> list[dict[str, str]]:
    """What the model reads to write it: the way from the chat's beginning. Answers of which nothing is there
    are left out with what was asked for them."""
    by_id = {message.pk: message for message in answer.chat.messages.all()}
    way: list[ChatMessage] = []
    at = by_id.get(answer.parent_id or 0)
    while at:
        way.insert(0, at)
        at = by_id.get(at.parent_id or 0)
    turns: list[dict[str, str]] = []
    for message in way:
        if message.role == ASSISTANT and not message.text.strip():
            turns.pop()
        else:
            turns.append({"role": message.role, "content": message.text})
    return turns


def _check_pace(person: Person, now: datetime) -> None:
    mine = ChatMessage.objects.filter(chat__person=person, role=USER)
    again = ChatMessage.objects.filter(chat__person=person, role=ASSISTANT, origin=Origin.AGAIN)
    for most, span in ((A_MINUTE, timedelta(minutes=1)), (_a_day(person), timedelta(days=1))):
        since = now - span
        if mine.filter(created_at__gt=since).count() + again.filter(created_at__gt=since).count() >= most:
            words = (
                _("That is enough for today. Come back tomorrow.")
                if span.days
                else _("That was fast. Wait a minute before the next message.")
            )
            raise ChatLimit(words)


def _a_day(person: Person) -> int:
    return A_DAY_AS_GUEST if person.is_guest else A_DAY


def _add(
    chat: Chat,
    parent: ChatMessage | None,
    role: str,
    origin: str,
    now: datetime,
    *,
    text: str = "",
    key: UUID | None = None,
) -> ChatMessage:
    is_answer = role == ASSISTANT
    try:
        with transaction.atomic():
            return ChatMessage.objects.create(
                chat=chat,
                parent=parent,
                role=role,
                origin=origin,
                status=Status.WRITING if is_answer else Status.FINISHED,
                text=text,
                idempotency_key=key,
                created_at=now,
                finished_at=None if is_answer else now,
            )
    except IntegrityError:
        # The same message came twice at once.
        return chat.messages.get(idempotency_key=key)
