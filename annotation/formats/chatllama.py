"""chatllama's three files: what an assistant said, what it was scored, and prompts alone."""

from collections.abc import Iterator
from itertools import groupby

from django.utils.translation import gettext as _

from annotation.errors import BadInput, MalformedRow
from annotation.formats.fields import number_in, text_in
from annotation.formats.items import (
    Fields,
    ImportedDemonstration,
    ImportedPrompt,
    ImportedRanking,
    Items,
    Messages,
    Problem,
    Row,
    Rows,
    read_rows,
)

MOST_ANSWERS = 9


def read_actor(rows: Rows) -> Items:
    return read_rows(rows, _demonstration)


def read_prompts(rows: Rows) -> Items:
    return read_rows(rows, _prompt)


def read_reward(rows: Rows) -> Items:
    """Neighboring rows of one prompt are one judgement: their scores are an order, equal ones a tie. A score
    alone says nothing that can be compared, so its row gives its prompt."""
    scored = (_scored(row) for row in rows)
    for asked, group in groupby(scored, key=lambda one: one.text if isinstance(one, _Scored) else None):
        items = list(group)
        yield from (item for item in items if isinstance(item, Problem))
        answers = [item for item in items if isinstance(item, _Scored)]
        for start in range(0, len(answers), MOST_ANSWERS):
            yield _judged(asked or "", answers[start : start + MOST_ANSWERS])


class _Scored:
    def __init__(self, row: Row, text: str, answer: str, score: float | None) -> None:
        self.line, self.file, self.text, self.answer, self.score = row.line, row.file, text, answer, score


def _scored(row: Row) -> _Scored | Problem:
    if isinstance(row.content, Problem):
        return row.content
    try:
        answer = text_in(row.content, "completion")
        if not answer.strip():
            raise MalformedRow(_("A row needs the field %(name)s.") % {"name": "completion"})
        return _Scored(row, _asked(row.content), answer, number_in(row.content, "score"))
    except BadInput as refusal:
        return Problem.of(row.line, refusal, row.file)


def _judged(asked: str, answers: list[_Scored]) -> ImportedPrompt:
    different = list({one.answer: one for one in answers if one.score is not None}.values())
    scores = sorted({one.score for one in different if one.score is not None}, reverse=True)
    tiers = [[place for place, one in enumerate(different) if one.score == score] for score in scores]
    is_ranked = len(different) > 1
    return ImportedPrompt(
        line=answers[-1].line,
        file=answers[-1].file,
        messages=_messages(asked),
        completions=[one.answer for one in different] if is_ranked else [],
        rankings=[ImportedRanking(tiers=tiers)] if is_ranked else [],
    )


def _demonstration(line: int, row: Fields) -> Iterator[ImportedPrompt]:
    answer = text_in(row, "completion")
    turns = [{"role": "assistant", "content": answer}] if answer.strip() else []
    demonstrations = [ImportedDemonstration(turns=turns)] if turns else []
    yield ImportedPrompt(line=line, messages=_messages(_asked(row)), demonstrations=demonstrations)


def _prompt(line: int, row: Fields) -> Iterator[ImportedPrompt]:
    yield ImportedPrompt(line=line, messages=_messages(_asked(row)))


def _asked(row: Fields) -> str:
    asked = text_in(row, "user_input")
    if not asked.strip():
        raise MalformedRow(_("A row needs the field %(name)s.") % {"name": "user_input"})
    return asked


def _messages(asked: str) -> Messages:
    return [{"role": "user", "content": asked}]
