"""Every format that a snapshot can be written in; docs/formats.md has the same table for people."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from trainer.exports import arena, helpsteer, hh_rlhf, listwise, oasst, openai, trl
from trainer.exports.rows import Row

JSON = ("jsonl", "jsonl.gz")
TABLES = (*JSON, "parquet", "csv")


@dataclass(frozen=True, kw_only=True)
class Format:
    kinds: tuple[str, ...]
    """Of snapshots."""
    rows: Callable[[Any], Iterator[Row]] | None
    """What the records of one candidate set, or one other record, become; None copies the snapshot's file."""
    schema: pa.Schema | None = None
    containers: tuple[str, ...] = TABLES
    """The first is the usual one."""
    names_raters: bool = False
    about: str
    """For the dataset card."""

    @property
    def columns(self) -> list[str]:
        return self.schema.names if self.schema else []


_PAIRS = "There is one row per comparison that a ranking implies; ties, and pairs of answers that are both "
_PAIRS += "unacceptable, give none."
_MESSAGES = "lists of messages with `role` and `content`"

FORMATS = {
    "trl-messages": Format(
        kinds=("demonstrations",),
        rows=trl.messages_rows,
        schema=trl.MESSAGES,
        about="`messages` is a list of messages with `role` and `content`: the conversational "
        "language-modelling format of TRL. There is one row per demonstration.",
    ),
    "trl-prompt-completion": Format(
        kinds=("demonstrations",),
        rows=trl.prompt_completion_rows,
        schema=trl.PROMPT_COMPLETION,
        about=f"`prompt` and `completion` are {_MESSAGES}: the conversational prompt-completion format of "
        "TRL. There is one row per assistant turn of a demonstration.",
    ),
    "trl-preference": Format(
        kinds=("rankings",),
        rows=trl.preference_rows,
        schema=trl.PREFERENCE,
        about=f"`prompt`, `chosen` and `rejected` are {_MESSAGES}: the conversational preference format of "
        f"TRL with an explicit prompt. {_PAIRS}",
    ),
    "trl-implicit-preference": Format(
        kinds=("rankings",),
        rows=trl.implicit_preference_rows,
        schema=trl.IMPLICIT_PREFERENCE,
        about=f"`chosen` and `rejected` are {_MESSAGES}, the prompt in both: the conversational preference "
        f"format of TRL with an implicit prompt. {_PAIRS}",
    ),
    "trl-unpaired": Format(
        kinds=("rankings", "feedback"),
        rows=trl.unpaired_rows,
        schema=trl.UNPAIRED,
        about=f"`prompt` and `completion` are {_MESSAGES}, `label` says whether the answer is good: the "
        "conversational unpaired-preference format of TRL. A ranking's best tier is good; what is "
        "unacceptable or, where nothing is, the last tier is bad; what is between gives no row. Of chat "
        "feedback there is one row per thumb.",
    ),
    "trl-prompt-only": Format(
        kinds=("prompts",),
        rows=trl.prompt_rows,
        schema=trl.PROMPT_ONLY,
        about="`prompt` is a list of messages with `role` and `content`: the conversational prompt-only "
        "format of TRL.",
    ),
    "hh-rlhf": Format(
        kinds=("rankings",),
        rows=hh_rlhf.rows,
        schema=hh_rlhf.SCHEMA,
        about="`chosen` and `rejected` are dialogues as text that differ in the last answer, as in "
        f"Anthropic's HH-RLHF; what the system said is left out. {_PAIRS}",
    ),
    "oasst": Format(
        kinds=("rankings", "demonstrations"),
        rows=oasst.rows,
        schema=oasst.SCHEMA,
        containers=JSON,
        about="Open-Assistant's message trees, one per candidate set or demonstration. `rank` is the "
        "answer's place by its mean place in the rankings, 0 is the best and ties share one; `labels` are "
        "mean ratings.",
    ),
    "openai-sft": Format(
        kinds=("demonstrations",),
        rows=trl.messages_rows,
        schema=trl.MESSAGES,
        about="`messages` is a list of messages with `role` and `content`, as OpenAI's supervised tuning "
        "reads them. There is one row per demonstration.",
    ),
    "openai-dpo": Format(
        kinds=("rankings",),
        rows=openai.preference_rows,
        schema=openai.PREFERENCE,
        about=f"`input`, `preferred_output` and `non_preferred_output` as OpenAI's preference tuning "
        f"reads them. {_PAIRS}",
    ),
    "arena": Format(
        kinds=("rankings",),
        rows=arena.rows,
        schema=arena.SCHEMA,
        names_raters=True,
        about="Battles: every two answers of a ranking meet, in the order in which they were shown. `winner` "
        "is model_a, model_b, tie, or tie (bothbad) for two unacceptable ones.",
    ),
    "helpsteer": Format(
        kinds=("rankings",),
        rows=helpsteer.rows,
        schema=helpsteer.SCHEMA,
        names_raters=True,
        about="Pairs of answers with everybody's preference from -3 (the first is much better) to 3, as in "
        "HelpSteer3; `overall_preference` is the rounded mean of those that count.",
    ),
    "listwise": Format(
        kinds=("rankings",),
        rows=listwise.rows,
        schema=listwise.SCHEMA,
        names_raters=True,
        about="One candidate set a row: every ranking of it as ordered groups of ids, what they say together "
        "(`consensus`), and how often each pair was decided which way (`pairs`).",
    ),
    "native": Format(
        kinds=("demonstrations", "rankings", "prompts", "feedback"),
        rows=None,
        containers=("parquet",),
        about="One Parquet file with every row of the snapshot as Rankwright's own stages read it; the "
        "column `split` says whether a row may be trained on.",
    ),
}


def formats_for(kind: str) -> list[str]:
    return [name for name, format in FORMATS.items() if kind in format.kinds]
