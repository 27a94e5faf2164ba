"""What a conversation must look like, whoever sends it."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from annotation.errors import (
    EmptyTurn,
    LastTurnNotAssistant,
    LastTurnNotUser,
    MalformedRow,
    TextTooLong,
    TurnsMustAlternate,
    UnknownRole,
    UnusableText,
)

Message = dict[str, str]

ROLES = ("system", "user", "assistant")
MAX_CHARACTERS = 100_000
MAX_TURNS = 100

# A NUL ends strings in PostgreSQL; a lone surrogate has no UTF-8 form.
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")


def check_text(text: str) -> str:
    """The text, if a database and a tokenizer can hold it.

    :raises UnusableText: it has a NUL byte or half of a surrogate pair.
    :raises TextTooLong: it has more than ``MAX_CHARACTERS`` characters.
    """
    if len(text) > MAX_CHARACTERS:
        raise TextTooLong(
            _("The text has %(length)d characters; at most %(most)d can be stored.")
            % {"length": len(text), "most": MAX_CHARACTERS}
        )
    if _UNUSABLE.search(text):
        raise UnusableText(
            _("The text has a character that cannot be stored (a NUL byte or a broken emoji).")
        )
    return text


def check_prompt(messages: Any) -> list[Message]:
    """The messages of a prompt: an optional system message, then user and assistant in turn, the user last.

    :raises BadInput: with the code that names what is wrong.
    """
    checked = [_check_message(message) for message in _check_list(messages)]
    dialogue = checked[1:] if checked[0]["role"] == "system" else checked
    if not dialogue or dialogue[-1]["role"] != "user":
        raise LastTurnNotUser(_("A prompt must end with a message of the user."))
    _check_alternation(dialogue, first="user")
    return checked


def check_turns(turns: Any) -> list[Message]:
    """The turns of a demonstration: they answer the prompt, alternate, and end with the assistant.

    :raises BadInput: with the code that names what is wrong.
    """
    checked = [_check_message(turn) for turn in _check_list(turns)]
    if checked[-1]["role"] != "assistant":
        raise LastTurnNotAssistant(_("The last turn must be the assistant's."))
    _check_alternation(checked, first="assistant")
    return checked


def check_draft(turns: Any) -> list[Message]:
    """Turns that may still be empty or unfinished, but can be stored."""
    return [_check_message(turn, may_be_empty=True) for turn in _check_list(turns, may_be_empty=True)]


def digest_of(value: Any) -> str:
    """sha256 of a JSON value, the same for equal values."""
    canonical = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _check_list(messages: Any, *, may_be_empty: bool = False) -> Sequence[Any]:
    if not isinstance(messages, list) or not (messages or may_be_empty):
        raise MalformedRow(_("The messages must be a list with at least one message in it."))
    if len(messages) > MAX_TURNS:
        raise TextTooLong(_("The conversation has more than %(most)d messages.") % {"most": MAX_TURNS})
    return messages


def _check_message(message: Any, *, may_be_empty: bool = False) -> Message:
    if not isinstance(message, Mapping) or not isinstance(message.get("content"), str):
        raise MalformedRow(_("Each message must have a role and a text content."))
    role, content = message.get("role"), message["content"]
    if role not in ROLES:
        raise UnknownRole(
            _("The role %(role)r is not known; use user, assistant or, for the first message, system.")
            % {"role": role[:40] if isinstance(role, str) else type(role).__name__}
        )
    if not content.strip() and not may_be_empty:
        raise EmptyTurn(_("A turn of the %(role)s is empty.") % {"role": role})
    return {"role": str(role), "content": check_text(content)}


def _check_alternation(dialogue: Sequence[Message], *, first: str) -> None:
    second = {"user": "assistant", "assistant": "user"}[first]
    expected = [first if position % 2 == 0 else second for position in range(len(dialogue))]
    if [message["role"] for message in dialogue] != expected:
        raise TurnsMustAlternate(_("User and assistant must take turns."))
