"""TRL's dataset types, as conversations or as plain texts."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

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
            continue
        answers = [(line, text, label, file) for _prompt, line, text, label, file in group]
        for start in range(0, len(answers), MOST_ANSWERS):
            yield _judged(prompt, answers[start : start + MOST_ANSWERS])


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


def _labelled(row: Row) -> tuple[Messages | Problem, int, str, bool, str]:
    line, content, file = row
    if isinstance(content, Problem):
        return content, line, "", False, file
    try:
        prompt = conversation(_needed(content, "prompt"))
        label = content.get("label")
        if not isinstance(label, bool):
            raise MalformedRow(_("The label must be true or false."))
        return prompt, line, only_answer(_needed(content, "completion")), label, file
    except BadInput as refusal:
        return Problem.of(line, refusal, file), line, "", False, file


def _judged(prompt: Messages, answers: list[tuple[int, str, bool, str]]) -> ImportedPrompt:
    good = [position for position, answer in enumerate(answers) if answer[2]]
    bad = [position for position, answer in enumerate(answers) if not answer[2]]
    # One answer alone cannot be compared with anything.
    is_ranked = len(answers) > 1
    ranking = ImportedRanking(tiers=[good] if good else [], unacceptable=bad)
    return ImportedPrompt(
        # The last of them: whoever goes on after this line has had all of them.
        line=answers[-1][0],
        file=answers[-1][3],
        messages=prompt,
        completions=[answer[1] for answer in answers] if is_ranked else [],
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
