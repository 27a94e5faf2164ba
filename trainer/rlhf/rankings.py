"""Rankings in tokens: read from a snapshot, and put side by side for the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from trainer.handoff.comparisons import implied_comparisons, implied_ties
from trainer.handoff.configs import DPOConfig, RewardConfig
from trainer.handoff.records import RankingRecord, read_records
from trainer.rlhf.batches import Batch, Family, completion_ids, prompt_ids
from trainer.rlhf.errors import BadData
from trainer.rlhf.judgements import TIE_MODELS, Judgement, Judgements, side_by_side
from trainer.rlhf.modeling import Backbone
from trainer.rlhf.world import World


@dataclass(frozen=True)
class RankedAnswers:
    """One ranking, in tokens."""

    family: Family
    comparisons: list[tuple[int, int]]
    """(better, worse), as indices into the family's completions."""
    ties: list[tuple[int, int]] = field(default_factory=list)
    weight: float = 1.0
    row: RankingRecord | None = None
    """Where it comes from."""

    @property
    def judgement(self) -> Judgement:
        return Judgement(len(self.family.completions), self.comparisons, self.ties, self.weight)


@dataclass(frozen=True)
class RankingBatch:
    """Several rankings side by side: N completions as sequences of ``batch``, and what is said of them."""

    batch: Batch
    said: Judgements

    @property
    def chosen(self) -> Tensor:
        return self.said.chosen

    @property
    def rejected(self) -> Tensor:
        return self.said.rejected


@dataclass(frozen=True)
class RankingStep:
    """What one optimizer step learns: this process's share, a few rankings at a time."""

    passes: list[RankingBatch]
    weight: float
    """Of the rankings in the whole batch, over all processes."""
    comparisons: int

    @classmethod
    def of(
        cls, bucket: Sequence[RankedAnswers], rows_per_pass: int, backbone: Backbone, world: World
    ) -> RankingStep:
        portions = world.portions(bucket, rows_per_pass or len(bucket))
        return cls(
            passes=[collate(portion, backbone) for portion in portions],
            weight=sum(ranking.weight for ranking in bucket),
            comparisons=sum(len(ranking.comparisons) for ranking in bucket),
        )


def collate(rankings: Sequence[RankedAnswers], backbone: Backbone) -> RankingBatch:
    """The completions of several rankings as one batch, each scored once."""
    said = side_by_side([ranking.judgement for ranking in rankings], backbone.device)
    return RankingBatch(backbone.pad([ranking.family for ranking in rankings]), said)


def in_passes(
    rankings: Sequence[RankedAnswers], batch_size: int, backbone: Backbone, world: World
) -> Iterator[RankingBatch]:
    """This process's share, a few rankings of like length at a time."""
    by_width = sorted(rankings, key=lambda ranking: ranking.family.width)
    for portion in world.portions(by_width, batch_size):
        yield collate(portion, backbone)


def rankings_in(
    file: Path, tokenizer: Any, config: RewardConfig | DPOConfig
) -> tuple[list[RankedAnswers], list[RankedAnswers], int]:
    """Train and held-out rankings that decide at least one comparison, and how many had too long a prompt."""
    train: list[RankedAnswers] = []
    held_out: list[RankedAnswers] = []
    left_out = 0
    rows = read_records(file, RankingRecord)
    for row in rows:
        ranking = _in_tokens(config, tokenizer, row)
        # Ties alone teach a model of ties how likely a tie is.
        tied = ranking.ties and config.loss in TIE_MODELS and row.split != "held_out"
        if not (row.weight and (ranking.comparisons or tied)):
            continue
        if len(ranking.family.prompt) > config.max_prompt_tokens:
            left_out += 1
        else:
            (held_out if row.split == "held_out" else train).append(ranking)
    if not any(ranking.comparisons for ranking in train):
        raise BadData(
            f"No ranking to learn from: of {len(rows)} rankings in the snapshot, none in its train split "
            "prefers one answer over another"
            + (f" and has a prompt of at most {config.max_prompt_tokens} tokens" if left_out else "")
            + ". Ties, all-unacceptable and cannot-judge teach no preference."
        )
    return train, held_out, left_out


def _in_tokens(config: RewardConfig | DPOConfig, tokenizer: Any, row: RankingRecord) -> RankedAnswers:
    prompt = prompt_ids(tokenizer, row.messages)
    place = {completion["id"]: index for index, completion in enumerate(row.completions)}
    comparisons = [
        (place[better], place[worse]) for better, worse in implied_comparisons(row.tiers, row.unacceptable)
    ]
    answers = [
        completion_ids(tokenizer, str(completion["text"]), config.max_completion_tokens)
        for completion in row.completions
    ]
    ties = [(place[one], place[other]) for one, other in implied_ties(row.tiers)]
    return RankedAnswers(Family(prompt, answers), comparisons, ties, row.weight, row)
