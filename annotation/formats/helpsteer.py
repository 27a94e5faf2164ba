"""HelpSteer3's preferences: two responses, and what each person said of them, from -3 to 3.

Below zero the first response is the better one; the farther from zero, the more so.
"""

import re
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from annotation.errors import MalformedRow
from annotation.formats.fields import conversation, language_in, list_in, only_answer, text_in
from annotation.formats.items import Fields, ImportedPrompt, ImportedRanking, Items, Rows, read_rows

_MOST = 3


def read(rows: Rows) -> Items:
    return read_rows(rows, _pair)


def _pair(line: int, row: Fields) -> Iterator[ImportedPrompt]:
    yield ImportedPrompt(
        line=line,
        messages=conversation(row.get("context")),
        kind=text_in(row, "domain"),
        language=language_in(row),
        completions=[only_answer(row.get(name)) for name in ("response1", "response2")],
        rankings=_rankings(row),
    )


def _rankings(row: Fields) -> list[ImportedRanking]:
    people = list_in(row, "individual_preference")
    if not people:
        return [] if row.get("overall_preference") is None else [_ranking({}, row["overall_preference"])]
    if not all(isinstance(person, dict) for person in people):
        raise MalformedRow(_("Each individual preference must be an object with a score."))
    return [_ranking(person, person.get("score")) for person in people]


def _ranking(person: Fields, score: Any) -> ImportedRanking:
    if isinstance(score, str) and re.fullmatch("-?[0-3]", score):
        score = int(score)  # a cell of CSV
    if type(score) is not int or abs(score) > _MOST:
        raise MalformedRow(_("A preference must be a whole number from -3 to 3."))
    return ImportedRanking(
        rater=text_in(person, "rater"),
        tiers=[[0, 1]] if score == 0 else [[0], [1]] if score < 0 else [[1], [0]],
        strength=abs(score) or None,
        rationale=text_in(person, "reasoning"),
    )
