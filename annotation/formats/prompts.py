"""Prompts: ``{"prompt": "text"}`` or ``{"messages": [{"role", "content"}]}``, or a line of plain text.

Optional beside them: ``kind``, ``language``, ``skill``, ``id``, ``completions`` (2 to 9 texts to rank), and
``tiers``, how somebody ranked them: lists of their positions from 0, best first; a shared tier is a tie.
"""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from annotation.errors import MalformedRow
from annotation.formats.fields import text_in
from annotation.formats.items import Fields, ImportedPrompt, ImportedRanking, Items, Rows, read_rows


def read(rows: Rows) -> Items:
    return read_rows(rows, _prompt)


def _prompt(line: int, row: Fields) -> Iterator[ImportedPrompt]:
    messages = row.get("messages", row.get("prompt"))
    if messages is None:
        raise MalformedRow(_("A row needs a prompt (a text) or messages (a list)."))
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    tiers = _tiers(row.get("tiers") or [])
    yield ImportedPrompt(
        line=line,
        messages=messages,
        kind=text_in(row, "kind"),
        language=text_in(row, "language"),
        skill=text_in(row, "skill"),
        source=text_in(row, "id"),
        completions=_completions(row.get("completions") or []),
        rankings=[ImportedRanking(tiers=tiers)] if tiers else [],
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
