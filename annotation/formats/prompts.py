"""Prompts as JSON lines: ``{"prompt": "text"}`` or ``{"messages": [{"role", "content"}]}``.

Optional beside them: ``kind``, ``language``, ``id``, and ``completions`` (2 to 9 texts to rank).
"""

from typing import Any, TextIO

from django.utils.translation import gettext as _

from annotation.errors import BadInput, MalformedRow
from annotation.formats.items import ImportedPrompt, Items, Problem, json_lines


def read(file: TextIO) -> Items:
    for line, row in json_lines(file):
        if isinstance(row, Problem):
            yield row
            continue
        try:
            yield _prompt(line, row)
        except BadInput as refusal:
            yield Problem.of(line, refusal)


def _prompt(line: int, row: dict[str, Any]) -> ImportedPrompt:
    messages = row.get("messages", row.get("prompt"))
    if messages is None:
        raise MalformedRow(_("A row needs a prompt (a text) or messages (a list)."))
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    completions = row.get("completions", [])
    if not isinstance(completions, list) or not all(isinstance(text, str) for text in completions):
        raise MalformedRow(_("The completions must be a list of texts."))
    return ImportedPrompt(
        line=line,
        messages=messages,
        kind=_text(row, "kind"),
        language=_text(row, "language"),
        source=_text(row, "id"),
        completions=completions,
    )


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name, "")
    if not isinstance(value, str | int):
        raise MalformedRow(_("The field %(name)s must be a text.") % {"name": name})
    return str(value)
