"""Who answers in chats. People's rows know nothing of models: the setting CHAT_ANSWERER names it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from annotation.models import ChatMessage

Turn = dict[str, str]


@dataclass(frozen=True)
class Piece:
    """What comes of an answer: words, news of the queue, or its end."""

    text: str = ""
    waiting: int | None = None
    """How many are answered before."""
    is_over: bool = False


class Answerer(Protocol):
    def stream(self, answer: ChatMessage, messages: Sequence[Turn], *, seed: int) -> Iterator[Piece]:
        """The answer to a conversation, as it is written. Closing the iterator ends it.

        :raises ModelAway: nobody is there to answer.
        :raises ModelBusy: too many ask at once.
        :raises ChatTooLong: the conversation has become longer than the model reads.
        """


def answerer() -> Answerer:
    found: Answerer = import_string(settings.CHAT_ANSWERER)()
    return found
