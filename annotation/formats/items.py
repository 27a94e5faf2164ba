"""What a reader yields: one prompt of a file with what came with it, or what was wrong there."""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TextIO

from django.utils.translation import gettext as _

from annotation.errors import BadInput, Refusal

MAX_LINE = 16 * 1024 * 1024
"""Characters of a line. Longer ones are refused before they fill the memory."""


@dataclass(frozen=True, kw_only=True)
class ImportedPrompt:
    """A prompt, with the candidates, the ranking and the demonstration that the file has for it."""

    line: int
    messages: list[dict[str, str]]
    kind: str = ""
    language: str = ""
    source: str = ""
    completions: list[str] = field(default_factory=list)
    tiers: list[list[int]] = field(default_factory=list)
    """Positions in ``completions``, best first; empty when nobody ranked them."""
    turns: list[dict[str, str]] = field(default_factory=list)
    """A demonstration: how the conversation went on."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A line that could not be used, and why, in words."""

    line: int
    code: str
    detail: str

    @classmethod
    def of(cls, line: int, refusal: Refusal) -> "Problem":
        return cls(line=line, code=refusal.code, detail=refusal.detail)


UNREADABLE = "unreadable_file"
"""The code of the Problem that ends a file before its end."""

Items = Iterator[ImportedPrompt | Problem]


def read_rows(file: TextIO, convert: Callable[[int, dict[str, Any]], Iterable[ImportedPrompt]]) -> Items:
    """What ``convert`` makes of each line's JSON object; a line that it refuses is one Problem."""
    for line, row in _json_lines(file):
        if isinstance(row, Problem):
            yield row
            continue
        try:
            prompts = list(convert(line, row))
        except BadInput as refusal:
            yield Problem.of(line, refusal)
            continue
        yield from prompts


def _json_lines(file: TextIO) -> Iterator[tuple[int, dict[str, Any] | Problem]]:
    """Line numbers from 1, each with its JSON object, or with the Problem that it is none."""
    line = 0
    try:
        for line, text in enumerate(_lines(file), start=1):
            if text.strip():
                yield line, _json_object(line, text)
    except (OSError, EOFError, zlib.error) as error:
        detail = _("The file cannot be read beyond this line: %(error)s") % {"error": error}
        yield line, Problem(line=line, code=UNREADABLE, detail=detail)


def _lines(file: TextIO) -> Iterator[str]:
    """The file's lines; of a line that is too long only its beginning."""
    while text := file.readline(MAX_LINE + 1):
        yield text
        while text and not text.endswith("\n"):
            text = file.readline(MAX_LINE)


def _json_object(line: int, text: str) -> dict[str, Any] | Problem:
    if len(text) > MAX_LINE:
        detail = _("This line has more than %(most)d characters.") % {"most": MAX_LINE}
        return Problem(line=line, code="text_too_long", detail=detail)
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        detail = _("This line is not valid JSON: %(error)s") % {"error": str(error)[:200]}
        return Problem(line=line, code="malformed_json", detail=detail)
    if not isinstance(row, dict):
        return Problem(line=line, code="malformed_row", detail=_("This line must be a JSON object."))
    return row
