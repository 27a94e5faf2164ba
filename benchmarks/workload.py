"""One workload for both sides: the checkpoint, and the same rows as records (ours) and as token ids (the
peer's)."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.texts import MOST_ANSWER_TOKENS, Ranked, plain_text, rankings
from tests.tiny_model import make_tiny_model
from trainer.handoff.records import DemonstrationRecord, PromptRecord, RankingRecord, write_records

PEER_ROWS = "peer.json"
Row = dict[str, Any]


@dataclass(frozen=True)
class Encoded:
    """A ranking, and its token ids as the lab makes them; every answer ends with the end mark."""

    row: Ranked
    prompt: list[int]
    answers: list[list[int]]


def make_tiny(folder: Path) -> Path:
    """4 layers of 256 and a vocabulary of 4096, with random weights."""
    return make_tiny_model(folder, plain_text(), hidden=256, layers=4, vocab=4096)


def write_rows(
    kind: str, folder: Path, model: Path, *, train: int, held_out: int, answers: int, most_prompt_tokens: int
) -> None:
    """Fill ``folder`` with the records of a run of this kind, and with the same rows for the peer."""
    folder.mkdir(parents=True, exist_ok=True)
    encoded = _encoded(model, train + held_out, answers, most_prompt_tokens)
    splits = ["train"] * train + ["held_out"] * held_out
    WRITERS[kind](folder, [one.row for one in encoded], splits)
    rows: dict[str, list[Row]] = {"train": [], "held_out": []}
    for split, one in zip(splits, encoded, strict=True):
        rows[split] += PEER_SHAPES[kind](one)
    (folder / PEER_ROWS).write_text(json.dumps(rows))


def _encoded(model: Path, count: int, answers: int, most_prompt_tokens: int) -> list[Encoded]:
    """The first rows that nobody has to cut."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)

    def ids(text: str) -> list[int]:
        found: list[int] = tokenizer(text, add_special_tokens=False).input_ids
        return found

    sample = " ".join(plain_text(50))
    words_per_token = min(1.0, len(sample.split()) / len(ids(sample)))
    chosen = []
    for row in rankings(8 * count, answers, words_per_token=words_per_token):
        prompt = str(tokenizer.apply_chat_template(row.messages, tokenize=False, add_generation_prompt=True))
        one = Encoded(row, ids(prompt), [[*ids(text), tokenizer.eos_token_id] for text in row.answers])
        if len(one.prompt) <= most_prompt_tokens and max(map(len, one.answers)) <= MOST_ANSWER_TOKENS:
            chosen.append(one)
    if len(chosen) < count:
        raise SystemExit(f"The texts have {len(chosen)} rows of the length that is wanted, not {count}.")
    return chosen[:count]


def _write_rankings(folder: Path, rows: Sequence[Ranked], splits: Sequence[str]) -> None:
    records = [
        RankingRecord(
            ranking_id=number,
            prompt_id=number,
            prompt_digest=f"{number:064x}",
            candidate_set_id=number,
            split=split,
            messages=row.messages,
            completions=[{"id": index, "text": text} for index, text in enumerate(row.answers)],
            tiers=[[index] for index in range(len(row.answers))],
            labeler="L1",
            guideline_version=1,
            seconds_spent=1.0,
            submitted_at="2026-01-01T00:00:00Z",
        )
        for number, (row, split) in enumerate(zip(rows, splits, strict=True))
    ]
    write_records(folder / "rankings.parquet", RankingRecord, records)


def _write_demonstrations(folder: Path, rows: Sequence[Ranked], splits: Sequence[str]) -> None:
    records = [
        DemonstrationRecord(
            demonstration_id=number,
            prompt_id=number,
            prompt_digest=f"{number:064x}",
            split=split,
            messages=row.messages,
            turns=[{"role": "assistant", "content": row.answers[0]}],
            labeler="L1",
            guideline_version=1,
            submitted_at="2026-01-01T00:00:00Z",
        )
        for number, (row, split) in enumerate(zip(rows, splits, strict=True))
    ]
    write_records(folder / "demonstrations.parquet", DemonstrationRecord, records)


def _write_prompts(folder: Path, rows: Sequence[Ranked], splits: Sequence[str]) -> None:
    records = [
        PromptRecord(
            prompt_id=number,
            digest=f"{number:064x}",
            split=split,
            kind="question",
            language="en",
            messages=row.messages,
        )
        for number, (row, split) in enumerate(zip(rows, splits, strict=True))
    ]
    write_records(folder / "prompts.parquet", PromptRecord, records)


def _pairs(one: Encoded) -> list[Row]:
    """Every comparison that the ranking implies."""
    return [
        {"chosen_ids": one.prompt + better, "rejected_ids": one.prompt + worse}
        for better, worse in itertools.combinations(one.answers, 2)
    ]


def _demonstration(one: Encoded) -> list[Row]:
    answer = one.answers[0]
    return [
        {
            "input_ids": one.prompt + answer,
            "completion_mask": [0] * len(one.prompt) + [1] * len(answer),
        }
    ]


def _prompt(one: Encoded) -> list[Row]:
    return [{"input_ids": one.prompt}]


WRITERS = {"reward": _write_rankings, "sft": _write_demonstrations, "ppo": _write_prompts}
PEER_SHAPES = {"reward": _pairs, "sft": _demonstration, "ppo": _prompt}
