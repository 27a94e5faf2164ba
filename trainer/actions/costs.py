"""What a run will take, before it is asked for: tokens and time, and memory once a node has said it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trainer.actions.rehearsals import ask_for_rehearsal
from trainer.actions.runs import DELIVERING, check_request
from trainer.models import Checkpoint, Rehearsal, Run, RunMetric, Snapshot

BYTES_PER_TOKEN = 4
"""Of English in the usual tokenizers, about; of Chinese in UTF-8, too."""
LOOKED_AT = 5
"""Runs of the same kind whose speed is taken, the newest."""
MOST_LINES = 200
MOST_GROUPS = 4
"""Groups of rows that are counted; the others are taken to be like them."""


@dataclass(frozen=True)
class Cost:
    rehearsal: Rehearsal
    """What a node says, or is asked for."""
    rows: int
    """That are learned from, or answered."""
    tokens: int
    """That go through the model, or are sampled, until it ends by itself."""
    is_counted: bool
    """By the model's tokenizer; else guessed from the texts' bytes."""
    speed: float | None
    """Tokens a second, the median of what ``measured_by`` logged; None where no such run has finished."""
    measured_by: list[Run] = field(default_factory=list)
    is_same_model: bool = True
    """Whether those runs started from the same model; else the speed may be far off."""
    is_same_layout: bool = True
    """Whether as many devices shared those runs; else the speed may be far off, too."""

    @property
    def asks(self) -> bool:
        """Whether it asks a model for what it makes up: then tokens are not known."""
        return self.rehearsal.kind in DELIVERING - {Run.Kind.SAMPLE}

    @property
    def time(self) -> timedelta | None:
        return timedelta(seconds=self.tokens / self.speed) if self.speed else None


def cost_of_run(
    *,
    kind: str,
    snapshot: Snapshot,
    base: Checkpoint,
    reward: Checkpoint | None = None,
    holdout: Checkpoint | None = None,
    config: Mapping[str, Any],
    nodes: int = 1,
    devices: int = 0,
    now: datetime,
) -> Cost:
    """What is known at once; a node is asked for the rest. Nothing is queued.

    :raises Refusal: as ``queue_run`` would.
    """
    settings = check_request(kind, snapshot, base, reward, holdout, config)
    asked = ask_for_rehearsal(
        kind=kind,
        snapshot=snapshot,
        base=base,
        reward=reward,
        holdout=holdout,
        settings=settings,
        nodes=nodes,
        devices=devices,
        now=now,
    )
    return cost_of_rehearsal(asked)


def cost_of_rehearsal(rehearsal: Rehearsal) -> Cost:
    """What is known by now."""
    kind, told = rehearsal.kind, rehearsal.told
    if kind in DELIVERING - {Run.Kind.SAMPLE}:
        # What each request will take nobody knows before.
        return Cost(rehearsal, rows=told.get("rows", 0), tokens=0, is_counted=True, speed=None)
    rows, tokens = (told["rows"], told["tokens"]) if told else _guess(rehearsal.snapshot, rehearsal.config)
    measured_by = _alike(kind, rehearsal.base_digest)
    return Cost(
        rehearsal,
        rows=rows,
        tokens=round(_work(rehearsal.config, rows, tokens)),
        is_counted=bool(told),
        speed=_speed(measured_by),
        measured_by=measured_by,
        is_same_model=all(run.base and run.base.digest == rehearsal.base_digest for run in measured_by),
        is_same_layout=all(_layout(run) == _layout(rehearsal) for run in measured_by),
    )


def _layout(asked: Run | Rehearsal) -> tuple[int, int]:
    return asked.nodes, asked.devices


def _work(settings: Mapping[str, Any], rows: int, tokens: float) -> float:
    """Tokens as the stages log them: those of the rows in each epoch; of prompts and answers in a rollout;
    of the answers where there is nothing but them."""
    if "iterations" in settings:
        episode = tokens / max(rows, 1) + settings["max_new_tokens"]
        return float(settings["iterations"] * settings["rollout_size"] * episode)
    if "completions_per_prompt" in settings:
        return float(
            rows * settings["completions_per_prompt"] * _draws(settings) * settings["max_new_tokens"]
        )
    return float(tokens * settings.get("epochs", 1))


def _draws(settings: Mapping[str, Any]) -> int:
    """What is drawn for each answer that is kept; only those that are kept are logged."""
    return int(settings.get("best_of", 1))


def _alike(kind: str, base_digest: str) -> list[Run]:
    """Finished runs to judge by: from the same model, or else of the same kind."""
    done = Run.objects.filter(kind=kind, status=Run.Status.SUCCEEDED).select_related("base").order_by("-pk")
    same = done.filter(base__digest=base_digest)
    return list(same[:LOOKED_AT]) or list(done[:LOOKED_AT])


def _speed(runs: list[Run]) -> float | None:
    speeds = [speed * _draws(run.config) for run in runs for speed in _logged(run)]
    return median(speeds) if speeds else None


def _logged(run: Run) -> Iterator[float]:
    lines = RunMetric.objects.filter(run=run, attempt=run.attempt).order_by("-line")[:MOST_LINES]
    for line in lines:
        if speed := line.values.get("tokens_per_second"):
            yield speed


def _guess(snapshot: Snapshot, settings: Mapping[str, Any]) -> tuple[int, float]:
    """Rows of the split that is read, and their tokens, from the texts' bytes."""
    if not snapshot.file.exists():
        return snapshot.rows, 0
    file = pq.ParquetFile(snapshot.file)
    counted = rows = size = 0
    for group in range(min(file.num_row_groups, MOST_GROUPS)):
        table = file.read_row_group(group)
        counted += len(table)
        wanted = _of_split(table, str(settings.get("split", "train")))
        rows, size = rows + len(wanted), size + sum(_bytes(wanted, name) for name in _texts(wanted))
    share = file.metadata.num_rows / max(counted, 1)
    found = round(rows * share)
    most = settings.get("prompts") or found
    return min(found, most), size * share / BYTES_PER_TOKEN


def _of_split(table: pa.Table, split: str) -> pa.Table:
    return table if split == "all" else table.filter(pc.equal(table["split"], split))


def _texts(table: pa.Table) -> list[str]:
    return [name for name in ("messages", "turns", "completions", "completion") if name in table.column_names]


def _bytes(table: pa.Table, column: str) -> int:
    """Of all texts in it; of a message or a completion, what was said."""
    values = table[column].combine_chunks()
    if pa.types.is_list(values.type):
        said = values.flatten()
        values = pc.struct_field(said, "content" if column in ("messages", "turns") else "text")
    return int(pc.sum(pc.binary_length(values)).as_py() or 0)
