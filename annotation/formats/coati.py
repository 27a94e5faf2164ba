"""The files of ColossalAI's chat application: instructions, conversations and preferences."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from annotation.errors import MalformedRow
from annotation.formats.fields import only_answer, opened, text_in
from annotation.formats.items import (
    Fields,
    ImportedDemonstration,
    ImportedPrompt,
    ImportedRanking,
    Items,
    Messages,
    Rows,
    read_rows,
)

ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


def read_instructions(rows: Rows) -> Items:
    """As Alpaca has them."""
    return read_rows(rows, _instruction)


def read_conversations(rows: Rows) -> Items:
    return read_rows(rows, _conversation)


def read_preferences(rows: Rows) -> Items:
    return read_rows(rows, _preference)


def _instruction(line: int, row: Fields) -> Iterator[ImportedPrompt]:
    asked = [text_in(row, name).strip() for name in ("instruction", "input")]
    if not asked[0]:
        raise MalformedRow(_("A row needs the field %(name)s.") % {"name": "instruction"})
    answer = text_in(row, "output")
    turns = [{"role": "assistant", "content": answer}] if answer.strip() else []
    yield ImportedPrompt(
        line=line,
        messages=[{"role": "user", "content": "\n\n".join(part for part in asked if part)}],
        source=text_in(row, "id"),
        demonstrations=[ImportedDemonstration(turns=turns)] if turns else [],
    )


def _conversation(line: int, row: Fields) -> Iterator[ImportedPrompt]:
    messages = _turns(row.get("messages") or row.get("conversations"))
    prompt, turns = opened(messages)
    if messages[-1]["role"] == "user":
        # Nobody has answered yet: all of it is the prompt.
        prompt, turns = messages, []
    demonstrations = [ImportedDemonstration(turns=turns)] if turns else []
    yield ImportedPrompt(line=line, messages=prompt, source=text_in(row, "id"), demonstrations=demonstrations)


def _preference(line: int, row: Fields) -> Iterator[ImportedPrompt]:
    answers = [only_answer(_answer(row, name)) for name in ("chosen", "rejected")]
    yield ImportedPrompt(
        line=line,
        messages=_turns(row.get("context")),
        completions=answers,
        rankings=[ImportedRanking(tiers=[[0], [1]])],
    )


def _answer(row: Fields, name: str) -> Any:
    value = row.get(name)
    return value if isinstance(value, str) else _turns(value)


def _turns(value: Any) -> Messages:
    """``{from, content}`` or ShareGPT's ``{from, value}`` as messages."""
    if not isinstance(value, list) or not value:
        raise MalformedRow(_("A conversation must be a text or a list of messages."))
    return [_turn(one) for one in value]


def _turn(one: Any) -> dict[str, str]:
    said = one if isinstance(one, dict) else {}
    role = ROLES.get(str(said.get("from", said.get("role"))))
    content = said.get("content", said.get("value"))
    if role is None or not isinstance(content, str):
        raise MalformedRow(_("Each message must have a role and a text content."))
    return {"role": role, "content": content}
