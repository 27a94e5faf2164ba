"""People who chat with a campaign's model, and what they say of its answers."""

from datetime import timedelta

from annotation.models import BetterAnswer, Chat, ChatConsent, ChatMessage, Person, SideBySide, Thumb
from tests.conftest import NOON

MINUTE = timedelta(minutes=1)


def guest(name, campaign, *, allows=True):
    person = Person.objects.create_user(name)
    allow(person, campaign, allows)
    return person


def allow(person, campaign, allows=True):
    ChatConsent.objects.update_or_create(
        campaign=campaign, person=person, defaults={"allows_training": allows, "changed_at": NOON}
    )


def ask(person, campaign, text, *, at=NOON):
    """A chat with one message of the user in it."""
    chat = Chat.objects.create(campaign=campaign, person=person, created_at=at, updated_at=at)
    return say(chat, text, role="user", at=at)


def say(chat, text, *, role="assistant", to=None, at=NOON, **more):
    return ChatMessage.objects.create(
        chat=chat, parent=to, role=role, text=text, created_at=at, finished_at=at, **more
    )


def answer(question, text, **more):
    return say(question.chat, text, to=question, **{"at": question.created_at, **more})


def thumb(person, campaign, text, reply, *, up, at=NOON):
    """A question, its answer, and a thumb for that."""
    message = answer(ask(person, campaign, text, at=at), reply)
    return Thumb.objects.create(message=message, is_up=up, given_at=at)


def choice(person, campaign, text, left, right, verdict, *, at=NOON):
    question = ask(person, campaign, text, at=at)
    return SideBySide.objects.create(
        left=answer(question, left),
        right=answer(question, right, origin="beside"),
        verdict=verdict,
        asked_at=at - MINUTE,
        answered_at=at,
    )


def better(person, campaign, text, reply, instead, *, at=NOON):
    message = answer(ask(person, campaign, text, at=at), reply)
    return BetterAnswer.objects.create(message=message, text=instead, written_at=at)
