"""A reward model from rankings: all comparisons of one ranking are one element (InstructGPT, eq. 1)."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification

from trainer.handoff.comparisons import implied_comparisons, implied_ties
from trainer.handoff.configs import RewardConfig
from trainer.handoff.records import RankingRecord, read_records
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.batches import (
    Batch,
    Family,
    completion_ids,
    length_buckets,
    prompt_ids,
)
from trainer.rlhf.checkpoints import Checkpoints
from trainer.rlhf.errors import LabError
from trainer.rlhf.judgements import (
    TIE_LEARNING_RATE,
    TIE_MODELS,
    Judgement,
    Judgements,
    first_tie_logit,
    ranking_loss,
    side_by_side,
)
from trainer.rlhf.learner import Learner
from trainer.rlhf.modeling import Backbone, Role, ScalarHead, load_backbone, load_tokenizer, save_model
from trainer.rlhf.ranking_losses import tie_threshold
from trainer.rlhf.report_pictures import report_files
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.reward_report import ScoredRanking, reward_report
from trainer.rlhf.schedules import cosine, shuffled_epochs
from trainer.rlhf.trunks import TrunkCache
from trainer.rlhf.world import World

ADAPTER, REPORT = "adapter.safetensors", "reward.json"


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
class RewardBatch:
    """What one optimizer step learns: this process's share, a few rankings at a time."""

    passes: list[RankingBatch]
    weight: float
    """Of the rankings in the whole batch, over all processes."""
    comparisons: int

    @classmethod
    def of(
        cls, bucket: Sequence[RankedAnswers], rows_per_pass: int, backbone: Backbone, world: World
    ) -> RewardBatch:
        mine = world.share(bucket)
        size = rows_per_pass or len(bucket)
        return cls(
            passes=[collate(mine[start : start + size], backbone) for start in range(0, len(mine), size)],
            weight=sum(ranking.weight for ranking in bucket),
            comparisons=sum(len(ranking.comparisons) for ranking in bucket),
        )


@dataclass(frozen=True)
class RewardModel:
    """Scores for whole completions, on a scale frozen after training: mean 0 and deviation 1 on its data."""

    role: Role
    head: ScalarHead
    bias: float = 0.0
    scale: float = 1.0

    def raw_scores(self, batch: Batch, trunk: Tensor | None = None) -> Tensor:
        """(N,) read at each sequence's last token, found by its length: padding may equal the end mark."""
        hidden = self.role.hidden(batch, trunk)
        scores: Tensor = self.head(hidden[batch.row, batch.last])
        return scores

    @torch.no_grad()
    def scores(self, batch: Batch, trunk: Tensor | None = None) -> Tensor:
        """(N,) normalized."""
        return (self.raw_scores(batch, trunk) - self.bias) / self.scale


def train_reward(
    config: RewardConfig, spec: RunSpec, directory: RunDirectory, report: Reporter, world: World
) -> dict[str, object]:
    tokenizer = load_tokenizer(spec.base_model)
    train, held_out, left_out = _rankings(config, directory, tokenizer)
    backbone = load_backbone(spec.base_model, config)
    head = ScalarHead(backbone.hidden_size, spread=1e-3, seed=config.seed).to(backbone.device)
    backbone.add_role("reward", config.seed)
    model = RewardModel(Role(backbone, "reward"), head)
    trunks = TrunkCache(backbone)
    tie_logit = nn.Parameter(first_tie_logit([ranking.judgement for ranking in train]).to(backbone.device))

    widths = [ranking.family.width for ranking in train]
    buckets = length_buckets(train, widths, config.batch_size, random.Random(config.seed))
    batches = [RewardBatch.of(bucket, config.rows_per_pass, backbone, world) for bucket in buckets]
    order = shuffled_epochs(len(batches), config.epochs, config.seed)
    learned = {**backbone.learned_by("reward"), **{f"head.{name}": p for name, p in head.named_parameters()}}
    learned |= {"tie_logit": tie_logit} if config.loss in TIE_MODELS else {}
    learner = Learner(
        learned,
        learning_rate=config.learning_rate,
        learning_rates={"tie_logit": TIE_LEARNING_RATE},
        schedule=cosine(len(order)),
        max_grad_norm=config.max_grad_norm,
        world=world,
    )
    checkpoints = Checkpoints(
        directory, report, world, every=config.checkpoint_every, shared={"learner": learner}
    )
    for step in range(checkpoints.resume() + 1, len(order) + 1):
        batch = batches[order[step - 1]]
        rate = learner.rate
        measured = world.totals(accumulate_loss(config, model, tie_logit, batch, trunks))
        norm = learner.update()
        report.step(step, len(order), **measured, grad_norm=norm, learning_rate=rate)
        checkpoints.after(step)

    comparisons = sum(len(ranking.comparisons) for ranking in train)
    summary: dict[str, object] = {
        "comparisons": comparisons,
        "train_accuracy": round(accuracy(model, train, config.batch_size, world), 4),
        "held_out_accuracy": None,
        "held_out_comparisons": sum(len(ranking.comparisons) for ranking in held_out),
    }
    summary |= {"left_out": left_out} if left_out else {}
    summary |= {"tie_chance": round(tie_logit.sigmoid().item(), 4)} if config.loss in TIE_MODELS else {}
    # Raw scores, as the loss saw them: they are what the probabilities mean.
    judged = scored_rankings(model, held_out, config.batch_size, world)
    log_theta = tie_threshold(tie_logit).item() if config.loss == "rao_kupper" else 0.0
    figures = reward_report(judged, log_theta)
    if held_out:
        report.step(len(order), len(order), held_out_accuracy=figures["accuracy"]["value"])
        summary["held_out_accuracy"] = round(figures["accuracy"]["value"], 4)
    model = _frozen_scale(model, train, config.batch_size, world)
    if world.is_first:
        _publish(model, config, spec, directory, tokenizer, summary, report_files(figures, judged))
    return summary


def accumulate_loss(
    config: RewardConfig, model: RewardModel, tie_logit: Tensor, batch: RewardBatch, trunks: TrunkCache
) -> dict[str, float]:
    """Add up the gradient of this process's share. Returns what its share adds to the step's metrics."""
    added = {"loss": 0.0, "tokens": 0.0}
    # A batch of nothing but ties has no accuracy.
    added |= {"accuracy": 0.0} if batch.comparisons else {}
    for part in batch.passes:
        scores = model.raw_scores(part.batch, trunks[part.batch])
        loss = ranking_loss(config, scores, part.said, tie_logit) / batch.weight
        loss.backward()  # type: ignore[no-untyped-call]
        added["loss"] += loss.item()
        added["tokens"] += part.batch.token_count
        if batch.comparisons:
            right = (scores[part.chosen] > scores[part.rejected]).sum().item()
            added["accuracy"] += right / batch.comparisons
    return added


def collate(rankings: Sequence[RankedAnswers], backbone: Backbone) -> RankingBatch:
    """The completions of several rankings as one batch, each scored once."""
    said = side_by_side([ranking.judgement for ranking in rankings], backbone.device)
    return RankingBatch(backbone.pad([ranking.family for ranking in rankings]), said)


@torch.no_grad()
def accuracy(model: RewardModel, rankings: Sequence[RankedAnswers], batch_size: int, world: World) -> float:
    """Share of the comparisons whose winner scores higher; an equal score is half right."""
    added = {"right": 0.0, "count": 0.0}
    for part in _parts(rankings, batch_size, model.role.backbone, world):
        scores = model.raw_scores(part.batch)
        margins = scores[part.chosen] - scores[part.rejected]
        added["right"] += ((margins > 0).float() + 0.5 * (margins == 0).float()).sum().item()
        added["count"] += len(margins)
    total = world.totals(added)
    return total["right"] / total["count"]


@torch.no_grad()
def scored_rankings(
    model: RewardModel, rankings: Sequence[RankedAnswers], batch_size: int, world: World
) -> list[ScoredRanking]:
    """The rankings with the model's raw scores, for the report; all of them in every process."""
    mine = world.share(sorted(rankings, key=lambda ranking: ranking.family.width))
    found: list[ScoredRanking] = []
    for start in range(0, len(mine), batch_size):
        some = mine[start : start + batch_size]
        scores = model.raw_scores(collate(some, model.role.backbone).batch).tolist()
        for ranking in some:
            count = len(ranking.family.completions)
            found.append(_scored(ranking, scores[:count]))
            scores = scores[count:]
    return world.gather(found)


def _scored(ranking: RankedAnswers, scores: Sequence[float]) -> ScoredRanking:
    row = ranking.row
    assert row is not None
    ids = [int(completion["id"]) for completion in row.completions]
    return ScoredRanking(
        prompt_id=row.prompt_id,
        candidate_set_id=row.candidate_set_id,
        labeler=row.labeler,
        tiers=row.tiers,
        unacceptable=row.unacceptable,
        scores=dict(zip(ids, scores, strict=True)),
        lengths=dict(zip(ids, map(len, ranking.family.completions), strict=True)),
    )


def load_reward_model(folder: Path, *, shared: Backbone, base_digest: str, dtype: torch.dtype) -> RewardModel:
    """What a reward run published. Where it was trained from the weights of ``shared``, it speaks through
    that backbone as one more role; else it brings its own."""
    try:
        about = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        classifier = AutoModelForSequenceClassification.from_pretrained(folder, dtype=dtype)
    except (OSError, ValueError) as error:
        raise LabError(f"The reward model in {folder} could not be loaded: {error}") from error
    head = ScalarHead(shared.hidden_size, spread=0.0, seed=0)
    head.weight.data = classifier.score.weight.detach().float()
    head.to(shared.device).requires_grad_(False)
    same_layers = about["lora_rank"] == shared.lora_rank and about["lora_layers"] == shared.lora_layers
    if shared.lora_rank and about["base_digest"] == base_digest and same_layers:
        shared.load_role("reward", load_file(folder / ADAPTER))
        role = Role(shared, "reward")
    else:
        role = Role(
            Backbone(
                classifier.to(shared.device), lora_rank=shared.lora_rank, lora_layers=shared.lora_layers
            ),
            None,
        )
    return RewardModel(role, head, bias=about["bias"], scale=about["scale"])


def _rankings(
    config: RewardConfig, directory: RunDirectory, tokenizer: Any
) -> tuple[list[RankedAnswers], list[RankedAnswers], int]:
    """Train and held-out rankings that decide at least one comparison, and how many had too long a prompt."""
    train: list[RankedAnswers] = []
    held_out: list[RankedAnswers] = []
    left_out = 0
    rows = read_records(directory.data_path("rankings.parquet"), RankingRecord)
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
        raise LabError(
            f"No ranking to learn from: of {len(rows)} rankings in the snapshot, none in its train split "
            "prefers one answer over another"
            + (f" and has a prompt of at most {config.max_prompt_tokens} tokens" if left_out else "")
            + ". Ties, all-unacceptable and cannot-judge teach no preference."
        )
    return train, held_out, left_out


def _in_tokens(config: RewardConfig, tokenizer: Any, row: RankingRecord) -> RankedAnswers:
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


@torch.no_grad()
def _frozen_scale(
    model: RewardModel, rankings: Sequence[RankedAnswers], batch_size: int, world: World
) -> RewardModel:
    """The model with mean 0 and deviation 1 on the completions of these rankings."""
    mine = [
        model.raw_scores(part.batch).double()
        for part in _parts(rankings, batch_size, model.role.backbone, world)
    ]
    scores = torch.cat([torch.zeros(0, dtype=torch.float64, device=world.device), *mine])
    added = {"count": float(len(scores)), "sum": scores.sum().item(), "squares": (scores**2).sum().item()}
    total = world.totals(added)
    mean = total["sum"] / total["count"]
    deviation = math.sqrt(max(total["squares"] / total["count"] - mean**2, 0.0))
    return replace(model, bias=mean, scale=max(deviation, 1e-6))


def _parts(
    rankings: Sequence[RankedAnswers], batch_size: int, backbone: Backbone, world: World
) -> Iterator[RankingBatch]:
    """This process's share, a few rankings of like length at a time."""
    mine = world.share(sorted(rankings, key=lambda ranking: ranking.family.width))
    for start in range(0, len(mine), batch_size):
        yield collate(mine[start : start + batch_size], backbone)


def _publish(
    model: RewardModel,
    config: RewardConfig,
    spec: RunSpec,
    directory: RunDirectory,
    tokenizer: Any,
    summary: dict[str, object],
    files: dict[str, str],
) -> None:
    backbone = model.role.backbone
    about = {
        "bias": model.bias,
        "scale": model.scale,
        "base_digest": spec.base_digest,
        "lora_rank": config.lora_rank,
        "lora_layers": config.lora_layers,
        "report": summary,
    }
    with directory.publish_result() as folder:
        if config.lora_rank:
            save_file(backbone.role_tensors("reward"), folder / ADAPTER)
        _pad_apart_from_end(tokenizer)
        save_model(_classifier(backbone.merge("reward"), model.head, tokenizer), tokenizer, folder)
        (folder / REPORT).write_text(json.dumps(about, indent=2), encoding="utf-8")
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")


def _pad_apart_from_end(tokenizer: Any) -> None:
    """Any special token but the end mark pads: transformers' classifiers read the score at the last token
    that is no padding, and ours stands at the end mark."""
    others = [token for token in tokenizer.all_special_tokens if token != tokenizer.eos_token]
    if tokenizer.pad_token_id in (None, tokenizer.eos_token_id):
        tokenizer.pad_token = others[0] if others else None


def _classifier(language_model: Any, head: nn.Module, tokenizer: Any) -> Any:
    """The same weights under a one-number head, as transformers' own sequence classifier."""
    config = language_model.config
    config.num_labels, config.pad_token_id = 1, tokenizer.pad_token_id
    try:
        classifier: Any = AutoModelForSequenceClassification.from_config(  # type: ignore[no-untyped-call]
            config, dtype=language_model.dtype
        )
    except ValueError as error:
        raise LabError(f"transformers has no sequence classifier for {config.model_type} models.") from error
    classifier.base_model.load_state_dict(language_model.base_model.state_dict())
    classifier.score.weight.data.copy_(head.state_dict()["weight"])
    return classifier
