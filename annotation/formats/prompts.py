"""Prompts as JSON lines: ``{"prompt": "text"}`` or ``{"messages": [{"role", "content"}]}``.

Optional beside them: ``kind``, ``language``, ``id``, ``completions`` (2 to 9 texts to rank), and ``tiers``,
how somebody ranked them: lists of their positions from 0, best first; a shared tier is a tie.
"""

from collections.abc import Iterator
from typing import Any, TextIO

from django.utils.translation import gettext as _

from annotation.errors import MalformedRow
from annotation.formats.items import ImportedPrompt, Items, read_rows


def read(file: TextIO) -> Items:
    return read_rows(file, _prompt)


def _prompt(line: int, row: dict[str, Any]) -> Iterator[ImportedPrompt]:
    messages = row.get("messages", row.get("prompt"))
    if messages is None:
        raise MalformedRow(_("A row needs a prompt (a text) or messages (a list)."))
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    yield ImportedPrompt(
        line=line,
        messages=messages,
        kind=_text(row, "kind"),
        language=_text(row, "language"),
        source=_text(row, "id"),
        completions=_completions(row.get("completions", [])),
        tiers=_tiers(row.get("tiers", [])),
    )


def _completions(texts: Any) -> list[str]:
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise MalformedRow(_("The completions must be a list of texts."))
    return texts


def _tiers(tiers: Any) -> list[list[int]]:
    if not isinstance(tiers, list) or not all(_is_tier(tier) for tier in tiers):
        raise MalformedRow(_("The tiers must be a list of lists of numbers."))
    return [tier for tier in tiers if tier]


def _is_tier(tier: Any) -> bool:
    return isinstance(tier, list) and all(type(position) is int for position in tier)


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name, "")
    if not isinstance(value, str | int):
        raise MalformedRow(_("The field %(name)s must be a text.") % {"name": name})
    return str(value)
