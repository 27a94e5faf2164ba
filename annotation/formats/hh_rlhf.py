"""Anthropic's HH-RLHF: rows with a ``chosen`` and a ``rejected`` dialogue that differ in the last answer."""

import re
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from annotation.errors import MalformedRow
from annotation.formats.fields import parted
from annotation.formats.items import Fields, ImportedPrompt, ImportedRanking, Items, Messages, Rows, read_rows

_SPEAKER = re.compile(r"\n\n(Human|Assistant):")
_ROLES = {"Human": "user", "Assistant": "assistant"}


def read(rows: Rows) -> Items:
    return read_rows(rows, _pair)


def _pair(line: int, row: Fields) -> Iterator[ImportedPrompt]:
    prompt, chosen, rejected = parted(_dialogue(row.get("chosen")), _dialogue(row.get("rejected")))
    yield ImportedPrompt(
        line=line,
        messages=prompt,
        language="en",
        source=f"hh-rlhf:{line}",
        completions=[chosen, rejected],
        rankings=[ImportedRanking(tiers=[[0], [1]])],
    )


def _dialogue(text: Any) -> Messages:
    if not isinstance(text, str) or not _SPEAKER.match(text):
        raise MalformedRow(_("A row needs the texts chosen and rejected, each starting with a Human turn."))
    pieces = _SPEAKER.split(text)[1:]
    speakers, contents = pieces[::2], pieces[1::2]
    return [
        {"role": _ROLES[speaker], "content": content.strip()}
        for speaker, content in zip(speakers, contents, strict=True)
    ]
