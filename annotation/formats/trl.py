"""TRL's dataset types, as conversations or as plain texts."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from annotation.errors import BadInput, MalformedRow
from annotation.formats.fields import conversation, only_answer, opened, parted
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


def read_messages(rows: Rows) -> Items:
    return read_rows(rows, _dialogue)


def read_prompts(rows: Rows) -> Items:
    return read_rows(rows, _prompt)


def read_completions(rows: Rows) -> Items:
    return read_rows(rows, _completion)


def read_preferences(rows: Rows) -> Items:
    return read_rows(rows, _preference)


def read_unpaired(rows: Rows) -> Items:
    """Neighboring rows of one prompt are one person's judgement: the good ones above the bad ones."""
    for prompt, group in groupby(map(_labelled, rows), key=lambda row: row[0]):
        if isinstance(prompt, Problem):
            yield prompt
        else:
            yield from (
                _judged(prompt, answers) for answers in _judgements(answer for _prompt, answer in group)
            )


def _judgements(answers: Iterable["Labelled"]) -> Iterator[list["Labelled"]]:
    """An answer that comes again belongs to the next person."""
    judgement: list[Labelled] = []
    for answer in answers:
        if len(judgement) == MOST_ANSWERS or answer.text in {other.text for other in judgement}:
            yield judgement
            judgement = []
        judgement.append(answer)
    yield judgement


def _dialogue(line: int, row: Fields) -> Iterator[ImportedPrompt]:
    if row.get("messages") is None:
        raise MalformedRow(_("A row needs the field %(name)s.") % {"name": "messages"})
    messages = conversation(row["messages"])
    prompt, turns = opened(messages)
    if messages[-1]["role"] == "user":
        # Nobody has answered yet: all of it is the prompt.
        prompt, turns = messages, []
    yield ImportedPrompt(line=line, messages=prompt, demonstrations=_demonstrations(turns))


def _prompt(line: int, row: Fields) -> Iterator[ImportedPrompt]:
    yield ImportedPrompt(line=line, messages=conversation(_needed(row, "prompt")))


def _completion(line: int, row: Fields) -> Iterator[ImportedPrompt]:
    turns = conversation(_needed(row, "completion"), role="assistant")
    yield ImportedPrompt(
        line=line, messages=conversation(_needed(row, "prompt")), demonstrations=_demonstrations(turns)
    )


def _preference(line: int, row: Fields) -> Iterator[ImportedPrompt]:
    if row.get("prompt") is not None:
        prompt = conversation(row["prompt"])
        chosen, rejected = only_answer(_needed(row, "chosen")), only_answer(_needed(row, "rejected"))
    else:
        dialogues = [_whole(_needed(row, name)) for name in ("chosen", "rejected")]
        prompt, chosen, rejected = parted(*dialogues)
    yield ImportedPrompt(
        line=line,
        messages=prompt,
        completions=[chosen, rejected],
        rankings=[ImportedRanking(tiers=[[0], [1]])],
    )


class Labelled(NamedTuple):
    line: int
    file: str
    text: str
    is_good: bool


def _labelled(row: Row) -> tuple[Messages | Problem, Labelled]:
    line, content, file = row
    nothing = Labelled(line, file, "", False)
    if isinstance(content, Problem):
        return content, nothing
    try:
        prompt = conversation(_needed(content, "prompt"))
        label = content.get("label")
        if not isinstance(label, bool):
            raise MalformedRow(_("The label must be true or false."))
        return prompt, Labelled(line, file, only_answer(_needed(content, "completion")), label)
    except BadInput as refusal:
        return Problem.of(line, refusal, file), nothing


def _judged(prompt: Messages, answers: list[Labelled]) -> ImportedPrompt:
    good = [position for position, answer in enumerate(answers) if answer.is_good]
    bad = [position for position, answer in enumerate(answers) if not answer.is_good]
    # One answer alone cannot be compared with anything.
    is_ranked = len(answers) > 1
    ranking = ImportedRanking(tiers=[good] if good else [], unacceptable=bad)
    return ImportedPrompt(
        # The last of them: whoever goes on after this line has had all of them.
        line=answers[-1].line,
        file=answers[-1].file,
        messages=prompt,
        completions=[answer.text for answer in answers] if is_ranked else [],
        rankings=[ranking] if is_ranked else [],
    )


def _demonstrations(turns: Messages) -> list[ImportedDemonstration]:
    return [ImportedDemonstration(turns=turns)] if turns else []


def _whole(value: Any) -> Messages:
    if isinstance(value, str):
        raise MalformedRow(
            _("Plain texts need their prompt apart: where it ends cannot be seen in chosen and rejected.")
        )
    return conversation(value)


def _needed(row: Fields, name: str) -> Any:
    if row.get(name) is None:
        raise MalformedRow(_("A row needs the field %(name)s.") % {"name": name})
    return row[name]
