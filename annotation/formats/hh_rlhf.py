"""Anthropic's HH-RLHF: rows with a ``chosen`` and a ``rejected`` dialogue that differ in the last answer."""

import re
from collections.abc import Iterator
from typing import Any, TextIO

from django.utils.translation import gettext as _

from annotation.errors import MalformedRow
from annotation.formats.items import ImportedPrompt, Items, read_rows

_SPEAKER = re.compile(r"\n\n(Human|Assistant):")
_ROLES = {"Human": "user", "Assistant": "assistant"}


def read(file: TextIO) -> Items:
    return read_rows(file, _pair)


def _pair(line: int, row: dict[str, Any]) -> Iterator[ImportedPrompt]:
    chosen, rejected = _dialogue(row.get("chosen")), _dialogue(row.get("rejected"))
    if chosen[:-1] != rejected[:-1]:
        raise MalformedRow(_("The two dialogues differ before their last message."))
    if chosen[-1]["role"] != "assistant" or rejected[-1]["role"] != "assistant":
        raise MalformedRow(_("The two dialogues must end with the assistant."))
    yield ImportedPrompt(
        line=line,
        messages=chosen[:-1],
        language="en",
        source=f"hh-rlhf:{line}",
        completions=[chosen[-1]["content"], rejected[-1]["content"]],
        tiers=[[0], [1]],
    )


def _dialogue(text: Any) -> list[dict[str, str]]:
    if not isinstance(text, str) or not _SPEAKER.match(text):
        raise MalformedRow(_("A row needs the texts chosen and rejected, each starting with a Human turn."))
    pieces = _SPEAKER.split(text)[1:]
    speakers, contents = pieces[::2], pieces[1::2]
    return [
        {"role": _ROLES[speaker], "content": content.strip()}
        for speaker, content in zip(speakers, contents, strict=True)
    ]
