"""The pieces that rows of several formats have in common."""

from functools import cache
from typing import Any

from babel import Locale
from django.utils.translation import gettext as _

from annotation.errors import MalformedRow
from annotation.formats.items import Fields, Messages


def text_in(row: Fields, name: str) -> str:
    """The field as a text; an absent one is empty."""
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise MalformedRow(_("The field %(name)s must be a text.") % {"name": name})
    return str(value)


def number_in(row: Fields, name: str) -> float | None:
    """The field as a number, which a cell of CSV writes as a text."""
    value = row.get(name)
    if value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        raise MalformedRow(_("The field %(name)s must be a number.") % {"name": name}) from None


def list_in(row: Fields, name: str) -> list[Any]:
    value = row.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedRow(_("The field %(name)s must be a list.") % {"name": name})
    return value


def conversation(value: Any, role: str = "user") -> Messages:
    """Messages as they are; a plain text is one message of ``role``. Only role and content are kept."""
    if isinstance(value, str):
        return [{"role": role, "content": value}]
    if not isinstance(value, list) or not value or not all(isinstance(message, dict) for message in value):
        raise MalformedRow(_("A conversation must be a text or a list of messages."))
    return [{name: message.get(name) for name in ("role", "content")} for message in value]


def only_answer(value: Any) -> str:
    """The text of a completion that is one message of the assistant, or a plain text."""
    messages = conversation(value, role="assistant")
    if len(messages) != 1 or messages[0]["role"] != "assistant":
        raise MalformedRow(_("An answer to be ranked must be one message of the assistant."))
    return content_of(messages[0])


def content_of(message: dict[str, Any]) -> str:
    if not isinstance(message.get("content"), str):
        raise MalformedRow(_("Each message must have a role and a text content."))
    text: str = message["content"]
    return text


def parted(chosen: Messages, rejected: Messages) -> tuple[Messages, str, str]:
    """What two conversations share, and their last answers."""
    if chosen[:-1] != rejected[:-1]:
        raise MalformedRow(_("The two dialogues differ before their last message."))
    if chosen[-1]["role"] != "assistant" or rejected[-1]["role"] != "assistant":
        raise MalformedRow(_("The two dialogues must end with the assistant."))
    return chosen[:-1], content_of(chosen[-1]), content_of(rejected[-1])


def opened(messages: Messages) -> tuple[Messages, Messages]:
    """The conversation up to the user's first message, and how it went on."""
    for position, message in enumerate(messages):
        if message["role"] == "user":
            return messages[: position + 1], messages[position + 1 :]
    raise MalformedRow(_("The conversation has no message of the user."))


def language_in(row: Fields) -> str:
    """The code of a language that is given by its code or its English name."""
    name = text_in(row, "language")
    return _codes_by_name().get(name.casefold(), name)


@cache
def _codes_by_name() -> dict[str, str]:
    return {name.casefold(): code for code, name in Locale("en").languages.items()}
