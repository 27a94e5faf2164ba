"""OpenAI's files for preference tuning. Those for supervised tuning are TRL's ``messages``."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from annotation.errors import MalformedRow
from annotation.formats.fields import conversation, only_answer
from annotation.formats.items import Fields, ImportedPrompt, ImportedRanking, Items, Rows, read_rows


def read_preferences(rows: Rows) -> Items:
    return read_rows(rows, _preference)


def _preference(line: int, row: Fields) -> Iterator[ImportedPrompt]:
    asked = row.get("input")
    if not isinstance(asked, dict):
        raise MalformedRow(
            _("A row needs an input with messages, a preferred_output and a non_preferred_output.")
        )
    yield ImportedPrompt(
        line=line,
        messages=conversation(asked.get("messages")),
        completions=[only_answer(row.get(name)) for name in ("preferred_output", "non_preferred_output")],
        rankings=[ImportedRanking(tiers=[[0], [1]])],
    )
