"""What a campaign tells people who judge, as a judge model reads it: a text like any other, and data."""

import json
import re
from dataclasses import dataclass

from trainer.handoff.rundir import GUIDELINE, RunDirectory

LONGEST = 4_000
"""Characters that are read: its whole lines from the start, as far as they fit."""
NONE = "(There is none.)"
_MARK = re.compile(r"<(?=/?\s*guideline)", re.IGNORECASE)


@dataclass(frozen=True)
class Guideline:
    text: str
    """As it stands in the template."""
    figures: dict[str, int]
    """Which version it is, and how much of it was too long."""


def guideline_in(directory: RunDirectory) -> Guideline:
    """That of the campaign; a word that there is none where the desk has laid out none."""
    file = directory.data_path(GUIDELINE)
    if not file.exists():
        return Guideline(NONE, {})
    told = json.loads(file.read_text(encoding="utf-8"))
    text = str(told["text"]).strip()
    kept = start_of(text)
    left_out = len(text) - len(kept)
    note = f"\n[{left_out} more characters are left out here.]" if left_out else ""
    figures = {"guideline_version": int(told["version"])}
    return Guideline(
        marks_taken_out(kept) + note, figures | ({"guideline_left_out": left_out} if left_out else {})
    )


def start_of(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    start, line_break, _rest = text[: LONGEST + 1].rpartition("\n")
    return start.rstrip() if line_break and start.strip() else text[:LONGEST]


def marks_taken_out(text: str) -> str:
    """So that it cannot end, before its end, the block that the usual template has it in."""
    return _MARK.sub("‹", text)
