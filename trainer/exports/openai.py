"""OpenAI's file for preference tuning. That for supervised tuning has the rows of TRL's ``messages``."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from trainer.exports.rows import CONVERSATION, Row, answers_of, implied_pairs
from trainer.handoff.records import RankingRecord

PREFERENCE = pa.schema(
    [
        (
            "input",
            pa.struct(
                [
                    ("messages", CONVERSATION),
                    ("tools", pa.list_(pa.string())),
                    ("parallel_tool_calls", pa.bool_()),
                ]
            ),
        ),
        ("preferred_output", CONVERSATION),
        ("non_preferred_output", CONVERSATION),
    ]
)


def preference_rows(records: Sequence[RankingRecord]) -> Iterator[Row]:
    answers = answers_of(records[0])
    asked = {"messages": records[0].messages, "tools": [], "parallel_tool_calls": True}
    for _record, winner, loser in implied_pairs(records):
        yield {
            "input": asked,
            "preferred_output": answers[winner],
            "non_preferred_output": answers[loser],
        }
