"""A reward model from rankings: all comparisons of one ranking are one element (InstructGPT, eq. 1)."""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from trainer.handoff.configs import RewardConfig
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.batches import TokenSequence, length_buckets, pad
from trainer.rlhf.epochs import Epochs
from trainer.rlhf.judgements import TIE_LEARNING_RATE, TIE_MODELS, first_tie_logit, ranking_loss
from trainer.rlhf.loading import load_backbone, load_tokenizer
from trainer.rlhf.modeling import Role, ScalarHead
from trainer.rlhf.ranking_losses import tie_threshold
from trainer.rlhf.rankings import RankedAnswers, RankingBatch, RankingStep, collate, rankings_in
from trainer.rlhf.report_pictures import report_files
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.reward_models import RewardModel, publish_reward_model
from trainer.rlhf.reward_report import ScoredRanking, reward_report
from trainer.rlhf.sft import demonstrations_in
from trainer.rlhf.sharding import gather_layers, shard_layers
from trainer.rlhf.trunks import TrunkCache
from trainer.rlhf.world import World


def train_reward(
    config: RewardConfig, spec: RunSpec, directory: RunDirectory, report: Reporter, world: World
) -> dict[str, object]:
    tokenizer = load_tokenizer(spec.base_model)
    train, held_out, left_out = rankings_in(directory.data_path("rankings.parquet"), tokenizer, config)
    backbone = load_backbone(spec.base_model, config)
    head = ScalarHead(backbone.hidden_size, spread=1e-3, seed=config.seed).to(world.device)
    backbone.add_role("reward", config.seed)
    if config.shard:
        shard_layers(backbone, world)
    model = RewardModel(Role(backbone, "reward"), head)
    trunks = TrunkCache(backbone)
    tie_logit = nn.Parameter(first_tie_logit([ranking.judgement for ranking in train]).to(backbone.device))

    widths = [ranking.family.width for ranking in train]
    buckets = length_buckets(train, widths, config.batch_size, random.Random(config.seed))
    batches = [RankingStep.of(bucket, config.rows_per_pass, backbone, world) for bucket in buckets]
    learned = {**backbone.learned_by("reward"), **{f"head.{name}": p for name, p in head.named_parameters()}}
    learned |= {"tie_logit": tie_logit} if config.loss in TIE_MODELS else {}
    ties = {"tie_logit": TIE_LEARNING_RATE}
    epochs = Epochs(config, batches, learned, directory, report, world, learning_rates=ties)
    for batch in epochs.steps():
        epochs.update(accumulate_loss(config, model, tie_logit, batch, trunks))

    comparisons = sum(len(ranking.comparisons) for ranking in train)
    fit = fit_of(model, (part for batch in batches for part in batch.passes), trunks, world)
    summary: dict[str, object] = {
        "comparisons": comparisons,
        "train_accuracy": round(fit.accuracy, 4),
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
        epochs.tell(held_out_accuracy=figures["accuracy"]["value"])
        summary["held_out_accuracy"] = round(figures["accuracy"]["value"], 4)
    taught = directory.data_path("demonstrations.parquet")
    limits = config.max_prompt_tokens, config.max_completion_tokens
    ideal = demonstrations_in(taught, tokenizer, *limits)[0] if taught.exists() else []
    model = _frozen_scale(model, fit, ideal, config.batch_size, world)
    gather_layers(backbone, world)
    if world.is_first:
        files = report_files(figures, judged)
        publish_reward_model(model, config, spec, directory, tokenizer, summary, files)
    return summary


def accumulate_loss(
    config: RewardConfig, model: RewardModel, tie_logit: Tensor, batch: RankingStep, trunks: TrunkCache
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


@dataclass(frozen=True)
class Fit:
    """How a model scores the rankings it has learned from."""

    accuracy: float
    """Share of the comparisons whose winner scores higher; an equal score is half right."""
    mean: float
    deviation: float


@torch.no_grad()
def fit_of(model: RewardModel, parts: Iterable[RankingBatch], trunks: TrunkCache, world: World) -> Fit:
    """``parts`` are this process's share."""
    right = torch.zeros((), device=world.device)
    comparisons = 0
    scores = []
    for part in parts:
        scores.append(model.raw_scores(part.batch, trunks[part.batch]))
        margins = scores[-1][part.chosen] - scores[-1][part.rejected]
        right += ((margins > 0).float() + 0.5 * (margins == 0).float()).sum()
        comparisons += len(margins)
    total = world.totals({"right": right.item(), "comparisons": float(comparisons)})
    mean, deviation = _mean_and_deviation(scores, world)
    return Fit(total["right"] / total["comparisons"], mean, deviation)


@torch.no_grad()
def scored_rankings(
    model: RewardModel, rankings: Sequence[RankedAnswers], batch_size: int, world: World
) -> list[ScoredRanking]:
    """The rankings with the model's raw scores, for the report; all of them in every process."""
    by_width = sorted(rankings, key=lambda ranking: ranking.family.width)
    found: list[ScoredRanking] = []
    for some in world.portions(by_width, batch_size):
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


@torch.no_grad()
def _frozen_scale(
    model: RewardModel, fit: Fit, demonstrations: Sequence[TokenSequence], batch_size: int, world: World
) -> RewardModel:
    """The model with deviation 1 on what it has learned from, and mean 0 on the demonstrations that its base
    has learned from (InstructGPT 2022, §3.5); where there are none, on what it has learned from itself."""
    mean = fit.mean
    if demonstrations:
        by_length = sorted(demonstrations, key=lambda sequence: len(sequence.ids))
        portions = world.portions(by_length, batch_size)
        scores = [model.raw_scores(pad(portion, world.device)) for portion in portions]
        mean, _ = _mean_and_deviation(scores, world)
    return replace(model, bias=mean, scale=max(fit.deviation, 1e-6))


def _mean_and_deviation(mine: Sequence[Tensor], world: World) -> tuple[float, float]:
    """Of the scores (·) of all processes together."""
    none = torch.zeros(0, dtype=torch.float64, device=world.device)
    scores = torch.cat([none, *(part.double() for part in mine)])
    count = world.totals({"count": float(len(scores)), "sum": scores.sum().item()})
    mean = count["sum"] / count["count"]
    squares = world.totals({"squares": ((scores - mean) ** 2).sum().item()})["squares"]
    return mean, math.sqrt(squares / count["count"])
