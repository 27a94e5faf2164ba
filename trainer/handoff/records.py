"""The rows of a snapshot, and their Parquet files: the same rows give the same bytes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from trainer.handoff.columns import as_python
from trainer.handoff.failures import Failure

Message = dict[str, str]

ROWS_IN_GROUP = 5_000
"""A row group ends with the first candidate set after so many rows: whoever reads one has all of its sets."""

_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_COMPLETION = pa.struct([("id", pa.int64()), ("text", pa.string())])
_COMPLETIONS = pa.list_(_COMPLETION)
_RATINGS = pa.list_(pa.struct([("id", pa.int64()), ("axis", pa.string()), ("rating", pa.int32())]))
_FLAGS = pa.list_(pa.struct([("id", pa.int64()), ("flag", pa.string())]))
_WORDS = pa.list_(pa.string())
_SPANS = pa.list_(
    pa.struct([("id", pa.int64()), ("start", pa.int32()), ("end", pa.int32()), ("flag", pa.string())])
)


@dataclass(frozen=True, kw_only=True)
class PromptRecord:
    """A prompt to sample answers for."""

    prompt_id: int
    digest: str
    split: str
    """train or held_out, decided by how the conversation opens."""
    kind: str
    language: str
    messages: list[Message]
    synthetic: list[str] = field(default_factory=list)
    """What of it a model made up: ``prompt``, ``turns`` or ``order``. Empty where people made all of it."""


@dataclass(frozen=True, kw_only=True)
class DemonstrationRecord:
    """A demonstration: learn ``turns``, given the prompt's ``messages``."""

    demonstration_id: int
    prompt_id: int
    prompt_digest: str
    split: str
    messages: list[Message]
    turns: list[Message]
    """What the labeler wrote after the prompt; the last turn is the assistant's."""
    labeler: str
    """A pseudonym."""
    guideline_version: int
    submitted_at: str
    kind: str = ""
    """The prompt's, as its language."""
    language: str = ""
    consent_version: int = 0
    """The text that the labeler had agreed to; 0 where there was none."""
    suggested: bool = False
    """The labeler had asked for a stored response to the prompt and was shown one."""
    synthetic: list[str] = field(default_factory=list)
    """As of a prompt."""


@dataclass(frozen=True, kw_only=True)
class RankingRecord:
    """One labeler's ranking of the completions of a prompt."""

    ranking_id: int
    prompt_id: int
    prompt_digest: str
    candidate_set_id: int
    split: str
    messages: list[Message]
    completions: list[dict[str, int | str]]
    """``{"id", "text"}``, in the order of their ids."""
    tiers: list[list[int]]
    """Completion ids, best first; ids that share a tier are tied."""
    unacceptable: list[int] = field(default_factory=list)
    cannot_judge: str = ""
    """Why there is no order; empty where there is one."""
    labeler: str
    guideline_version: int
    seconds_spent: float
    submitted_at: str
    weight: float = 1.0
    """How much this ranking counts beside others in training, say by its labeler's reliability; 0 where a
    reviewer's order of the same candidates counts instead."""
    kind: str = ""
    """The prompt's, as its language."""
    language: str = ""
    purpose: str = "overlap"
    """overlap; adjudication: a reviewer's; chat: somebody's who chose between two answers there; or judge: a
    model's."""
    consent_version: int = 0
    """The text that the labeler had agreed to; 0 where there was none."""
    strength: int | None = None
    """How much better the best is than the next, from 1 (slightly) to 3 (much)."""
    ratings: list[dict[str, int | str]] = field(default_factory=list)
    """``{"id", "axis", "rating"}``, from 1 (bad) to 7 (good)."""
    flags: list[dict[str, int | str]] = field(default_factory=list)
    """``{"id", "flag"}``: what is wrong with a completion."""
    rationale: str = ""
    edited: dict[str, int | str] | None = None
    """``{"id", "text"}``: the best completion as the labeler would have it."""
    shown_order: list[int] = field(default_factory=list)
    """Completion ids as the labeler saw them."""
    written_by: list[str] = field(default_factory=list)
    """Which checkpoint wrote each of ``completions``; empty text where none of ours did."""
    consensus: str = ""
    """What the rankings of this candidate set said together when this was frozen, as JSON."""
    spans: list[dict[str, int | str]] = field(default_factory=list)
    """``{"id", "start", "end", "flag"}``: the passage that a flag is about, in code points of the text."""
    synthetic: list[str] = field(default_factory=list)
    """As of a prompt."""


@dataclass(frozen=True, kw_only=True)
class FeedbackRecord:
    """Whether one answer was good, as somebody who chatted said of it: an unpaired preference."""

    feedback_id: int
    prompt_id: int
    prompt_digest: str
    split: str
    messages: list[Message]
    completion: str
    label: bool
    """Whether it was good."""
    weight: float
    source: str
    """thumb; or regenerated or edited, from which somebody's opinion is only guessed."""
    labeler: str
    """A pseudonym."""
    submitted_at: str
    kind: str
    """The prompt's, as its language."""
    language: str
    written_by: str
    """The checkpoint, where it is known."""


Record = PromptRecord | DemonstrationRecord | RankingRecord | FeedbackRecord
R = TypeVar("R", PromptRecord, DemonstrationRecord, RankingRecord, FeedbackRecord)

RECORDS: dict[str, type[Record]] = {
    "prompts": PromptRecord,
    "demonstrations": DemonstrationRecord,
    "rankings": RankingRecord,
    "feedback": FeedbackRecord,
}

_SCHEMAS: dict[type[Record], pa.Schema] = {
    PromptRecord: pa.schema(
        [
            ("prompt_id", pa.int64()),
            ("digest", pa.string()),
            ("split", pa.string()),
            ("kind", pa.string()),
            ("language", pa.string()),
            ("messages", _MESSAGES),
            ("synthetic", _WORDS),
        ]
    ),
    DemonstrationRecord: pa.schema(
        [
            ("demonstration_id", pa.int64()),
            ("prompt_id", pa.int64()),
            ("prompt_digest", pa.string()),
            ("split", pa.string()),
            ("messages", _MESSAGES),
            ("turns", _MESSAGES),
            ("labeler", pa.string()),
            ("guideline_version", pa.int32()),
            ("submitted_at", pa.string()),
            ("kind", pa.string()),
            ("language", pa.string()),
            ("consent_version", pa.int32()),
            ("suggested", pa.bool_()),
            ("synthetic", _WORDS),
        ]
    ),
    RankingRecord: pa.schema(
        [
            ("ranking_id", pa.int64()),
            ("prompt_id", pa.int64()),
            ("prompt_digest", pa.string()),
            ("candidate_set_id", pa.int64()),
            ("split", pa.string()),
            ("messages", _MESSAGES),
            ("completions", _COMPLETIONS),
            ("tiers", pa.list_(pa.list_(pa.int64()))),
            ("unacceptable", pa.list_(pa.int64())),
            ("cannot_judge", pa.string()),
            ("labeler", pa.string()),
            ("guideline_version", pa.int32()),
            ("seconds_spent", pa.float64()),
            ("submitted_at", pa.string()),
            ("weight", pa.float64()),
            ("kind", pa.string()),
            ("language", pa.string()),
            ("purpose", pa.string()),
            ("consent_version", pa.int32()),
            ("strength", pa.int32()),
            ("ratings", _RATINGS),
            ("flags", _FLAGS),
            ("rationale", pa.string()),
            ("edited", _COMPLETION),
            ("shown_order", pa.list_(pa.int64())),
            ("written_by", pa.list_(pa.string())),
            ("consensus", pa.string()),
            ("spans", _SPANS),
            ("synthetic", _WORDS),
        ]
    ),
    FeedbackRecord: pa.schema(
        [
            ("feedback_id", pa.int64()),
            ("prompt_id", pa.int64()),
            ("prompt_digest", pa.string()),
            ("split", pa.string()),
            ("messages", _MESSAGES),
            ("completion", pa.string()),
            ("label", pa.bool_()),
            ("weight", pa.float64()),
            ("source", pa.string()),
            ("labeler", pa.string()),
            ("submitted_at", pa.string()),
            ("kind", pa.string()),
            ("language", pa.string()),
            ("written_by", pa.string()),
        ]
    ),
}

# Snapshots live longer than versions: files from before these columns, the last so many, read as the
# records' defaults.
_COLUMNS_ADDED_LATER: dict[type[Record], int] = {
    PromptRecord: 1,
    DemonstrationRecord: 5,
    RankingRecord: 15,
    FeedbackRecord: 0,
}


def write_records(path: Path, record: type[R], records: Iterable[R]) -> int:
    """Write the records as Parquet, holding one row group at a time. Returns how many they were."""
    schema, count = _SCHEMAS[record], 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _row_groups(records):
            writer.write_table(pa.Table.from_pylist([vars(row) for row in group], schema=schema))
            count += len(group)
    return count


def read_records(path: Path, record: type[R]) -> list[R]:
    """The records of a Parquet file.

    :raises ValueError: the file holds other columns.
    """
    return list(stream_records(path, record))


def stream_records(
    path: Path, record: type[R], row_groups: Sequence[int] | None = None, rows_at_once: int = 1_000
) -> Iterator[R]:
    """The records of a Parquet file, or of some of its row groups, a few in memory at a time.

    :raises ValueError: the file holds other columns.
    """
    with pq.ParquetFile(path) as file:
        names = _check_columns(path, record, file.schema_arrow.names)
        for batch in file.iter_batches(rows_at_once, row_groups=row_groups):
            columns = [as_python(column) for column in batch.columns]
            for values in zip(*columns, strict=True):
                yield record(**dict(zip(names, values, strict=True)))


def rows_by_group(path: Path) -> list[int]:
    """How many rows each row group of a Parquet file has."""
    about = pq.read_metadata(path)
    return [about.row_group(group).num_rows for group in range(about.num_row_groups)]


def _row_groups(records: Iterable[R]) -> Iterator[list[R]]:
    group: list[R] = []
    for record in records:
        if len(group) >= ROWS_IN_GROUP and not _belong_together(group[-1], record):
            yield group
            group = []
        group.append(record)
    if group:
        yield group


def _belong_together(one: Record, other: Record) -> bool:
    """Rankings of the same candidates."""
    return (
        isinstance(one, RankingRecord)
        and isinstance(other, RankingRecord)
        and one.candidate_set_id == other.candidate_set_id
    )


class WrongRows(ValueError):
    failure = Failure.BAD_DATA


def _check_columns(path: Path, record: type[Record], names: list[str]) -> list[Any]:
    wanted = _SCHEMAS[record].names
    later = set(wanted[len(wanted) - _COLUMNS_ADDED_LATER[record] :])
    if names != [name for name in wanted if name in names or name not in later]:
        raise WrongRows(f"{path.name} does not hold {record.__name__} rows: {names}")
    return names
