"""What a reader yields: one prompt of a file with what came with it, or what was wrong there."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TextIO

from django.utils.translation import gettext as _

from annotation.errors import BadInput


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
    def of(cls, line: int, refusal: BadInput) -> "Problem":
        return cls(line=line, code=refusal.code, detail=refusal.detail)


Items = Iterator[ImportedPrompt | Problem]


def json_lines(file: TextIO) -> Iterator[tuple[int, Any]]:
    """Line numbers from 1, each with its JSON object, or with the Problem that it is none."""
    for line, text in enumerate(file, start=1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            detail = _("This line is not valid JSON: %(error)s") % {"error": str(error)[:200]}
            yield line, Problem(line=line, code="malformed_json", detail=detail)
            continue
        if isinstance(row, dict):
            yield line, row
        else:
            detail = _("This line must be a JSON object.")
            yield line, Problem(line=line, code="malformed_row", detail=detail)
