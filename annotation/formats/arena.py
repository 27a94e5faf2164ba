"""Arena battles: two conversations, and which of them somebody preferred. Who wrote them is not kept."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from annotation.errors import MalformedRow
from annotation.formats.fields import conversation, language_in, number_in, parted, text_in
from annotation.formats.items import Fields, ImportedPrompt, ImportedRanking, Items, Rows, read_rows

_ORDERS: dict[str, dict[str, Any]] = {
    "model_a": {"tiers": [[0], [1]]},
    "model_b": {"tiers": [[1], [0]]},
    "tie": {"tiers": [[0, 1]]},
    "tie (bothbad)": {"unacceptable": [0, 1]},
}


def read(rows: Rows) -> Items:
    return read_rows(rows, _battle)


def _battle(line: int, row: Fields) -> Iterator[ImportedPrompt]:
    winner = text_in(row, "winner")
    if winner not in _ORDERS:
        raise MalformedRow(_("The winner must be one of: %(names)s.") % {"names": ", ".join(_ORDERS)})
    order: dict[str, Any] = _ORDERS[winner]
    prompt, a, b = parted(conversation(row.get("conversation_a")), conversation(row.get("conversation_b")))
    battle = text_in(row, "question_id")
    yield ImportedPrompt(
        line=line,
        messages=prompt,
        language=language_in(row),
        source=f"arena:{battle}" if battle else "",
        completions=[a, b],
        rankings=[
            ImportedRanking(
                rater=text_in(row, "judge"),
                shown_order=[0, 1],
                submitted_at=number_in(row, "tstamp"),
                **order,
            )
        ],
    )
