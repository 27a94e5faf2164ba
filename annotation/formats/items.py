"""What a reader yields: one prompt of a file with what came with it, or what was wrong there."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from annotation.errors import BadInput, Refusal

Fields = dict[str, Any]
Messages = list[dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class ImportedRanking:
    """One person's judgement. It names completions by their positions in ``ImportedPrompt.completions``."""

    rater: str = ""
    """As the file has it; empty when the file does not say who. Only a pseudonym of it is stored."""
    tiers: list[list[int]] = field(default_factory=list)
    """Best first; a shared tier is a tie."""
    unacceptable: list[int] = field(default_factory=list)
    cannot_judge: str = ""
    strength: int | None = None
    ratings: dict[int, dict[str, int]] = field(default_factory=dict)
    flags: dict[int, list[str]] = field(default_factory=dict)
    spans: dict[int, list[Fields]] = field(default_factory=dict)
    """Passages: ``{"start", "end", "flag"}``, in code points of the answer."""
    rationale: str = ""
    edited: tuple[int, str] | None = None
    shown_order: list[int] = field(default_factory=list)
    """Empty when the file does not say."""
    seconds_spent: float = 0
    submitted_at: float | None = None
    """Seconds since 1970; None when the file does not say: then it is the time of the import."""


@dataclass(frozen=True, kw_only=True)
class ImportedDemonstration:
    """How one person let the conversation go on."""

    turns: Messages
    rater: str = ""


@dataclass(frozen=True, kw_only=True)
class ImportedPrompt:
    """A prompt, with the candidates, the rankings and the demonstrations that the file has for it."""

    line: int
    file: str = ""
    """Which one of a folder; empty for a file of its own."""
    messages: Messages
    kind: str = ""
    language: str = ""
    skill: str = ""
    source: str = ""
    completions: list[str] = field(default_factory=list)
    rankings: list[ImportedRanking] = field(default_factory=list)
    demonstrations: list[ImportedDemonstration] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A line that could not be used, and why, in words."""

    line: int
    code: str
    detail: str
    file: str = ""

    @classmethod
    def of(cls, line: int, refusal: Refusal, file: str = "") -> "Problem":
        return cls(line=line, code=refusal.code, detail=refusal.detail, file=file)


UNREADABLE = "unreadable_file"
"""The code of the Problem that ends a file before its end."""

Items = Iterator[ImportedPrompt | Problem]


class Row(NamedTuple):
    """One record of a file, or why it is none."""

    line: int
    content: Fields | Problem
    file: str = ""


Rows = Iterable[Row]
Reader = Callable[[Rows], Items]


def read_rows(rows: Rows, convert: Callable[[int, Fields], Iterable[ImportedPrompt]]) -> Items:
    """What ``convert`` makes of each row; one that it refuses is one Problem."""
    for line, content, file in rows:
        if isinstance(content, Problem):
            yield content
            continue
        try:
            prompts = list(convert(line, content))
        except BadInput as refusal:
            yield Problem.of(line, refusal, file)
            continue
        yield from (replace(prompt, file=file) for prompt in prompts) if file else prompts
