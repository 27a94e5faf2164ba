"""The rows of a snapshot, and their Parquet files: the same rows give the same bytes."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

Message = dict[str, str]

_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_COMPLETIONS = pa.list_(pa.struct([("id", pa.int64()), ("text", pa.string())]))


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
    """How much this ranking counts beside others in training, say by its labeler's reliability."""


Record = PromptRecord | DemonstrationRecord | RankingRecord
R = TypeVar("R", PromptRecord, DemonstrationRecord, RankingRecord)

RECORDS: dict[str, type[Record]] = {
    "prompts": PromptRecord,
    "demonstrations": DemonstrationRecord,
    "rankings": RankingRecord,
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
        ]
    ),
}

# Snapshots live longer than versions: files from before these columns read as the records' defaults.
_COLUMNS_ADDED_LATER = {"weight"}


def write_records(path: Path, record: type[R], records: Iterable[R]) -> int:
    """Write the records as Parquet. Returns how many they were."""
    table = pa.Table.from_pylist([asdict(row) for row in records], schema=_SCHEMAS[record])
    pq.write_table(table, path, compression="zstd")
    return int(table.num_rows)


def read_records(path: Path, record: type[R]) -> list[R]:
    """The records of a Parquet file.

    :raises ValueError: the file holds other columns.
    """
    table = pq.read_table(path)
    names = table.schema.names
    missing = _COLUMNS_ADDED_LATER - set(names)
    if names != [name for name in _SCHEMAS[record].names if name not in missing]:
        raise ValueError(f"{path.name} does not hold {record.__name__} rows: {names}")
    return [record(**row) for row in table.to_pylist()]
