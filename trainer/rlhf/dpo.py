"""Direct preference optimization (Rafailov et al. 2023): the policy from rankings, without a reward model.

A policy's own score of a completion is β log(π / π_ref); what rankings say about scores, they say about it.
"""

import random
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.handoff.configs import DPOConfig
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.adapters import publish_role
from trainer.rlhf.batches import length_buckets
from trainer.rlhf.epochs import Epochs
from trainer.rlhf.judgements import shares
from trainer.rlhf.loading import load_backbone, load_tokenizer
from trainer.rlhf.modeling import FULL, Role, learned_states, token_logprobs
from trainer.rlhf.ranking_losses import dpo_loss, implicit_rewards, listwise_dpo_loss
from trainer.rlhf.rankings import RankingBatch, RankingStep, in_passes, rankings_in
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.sharding import shard_layers
from trainer.rlhf.side_by_side import SideBySide
from trainer.rlhf.trunks import TrunkCache
from trainer.rlhf.world import World


@dataclass(frozen=True)
class Referred:
    """Rankings, and what the start of the run says about their completions.

    ref_logprobs  (N,)  log-probability of each whole completion
    """

    rankings: RankingBatch
    ref_logprobs: Tensor


def train_dpo(
    config: DPOConfig, spec: RunSpec, directory: RunDirectory, report: Reporter, world: World
) -> dict[str, object]:
    tokenizer = load_tokenizer(spec.base_model)
    train, held_out, left_out = rankings_in(directory.data_path("rankings.parquet"), tokenizer, config)
    backbone = load_backbone(spec.base_model, config)
    policy = Role(backbone, "policy" if config.lora_rank else None)
    backbone.add_role(policy.name or FULL, config.seed)
    if config.shard:
        shard_layers(backbone, world)
    beside = SideBySide(
        policy,
        tokenizer,
        directory.data_path("rankings.parquet"),
        max_prompt_tokens=config.max_prompt_tokens,
        longest=max(len(answer) for ranking in train for answer in ranking.family.completions),
        world=world,
    )
    trunks = TrunkCache(backbone)

    widths = [ranking.family.width for ranking in train]
    buckets = length_buckets(train, widths, config.batch_size, random.Random(config.seed))
    batches = [RankingStep.of(bucket, config.rows_per_pass, backbone, world) for bucket in buckets]
    # The reference is the policy before its first step, so it need not stay: what it says is kept instead.
    referred = [(batch, [refer(policy, part, trunks) for part in batch.passes]) for batch in batches]
    looked_at = [refer(policy, part) for part in in_passes(held_out, config.batch_size, backbone, world)]
    learned = backbone.learned_by(policy.name or FULL)
    epochs = Epochs(config, referred, learned, directory, report, world)
    for batch, parts in epochs.steps():
        epochs.update(accumulate_loss(config, policy, batch, parts, trunks))

    summary: dict[str, object] = {
        "loss": round(epochs.last["loss"], 4),
        "comparisons": sum(len(ranking.comparisons) for ranking in train),
        "held_out_accuracy": None,
        "held_out_comparisons": sum(len(ranking.comparisons) for ranking in held_out),
    }
    summary |= {"left_out": left_out} if left_out else {}
    if held_out:
        held_out_accuracy = accuracy(policy, looked_at, world)
        epochs.tell(held_out_accuracy=held_out_accuracy)
        summary["held_out_accuracy"] = round(held_out_accuracy, 4)
    beside.keep(directory, step=epochs.learner.step)
    publish_role(backbone, policy.name or FULL, tokenizer, directory, world)
    return summary


def completion_logprobs(policy: Role, part: RankingBatch, trunks: TrunkCache | None = None) -> Tensor:
    """(N,) the log-probability of each whole completion."""
    hidden = policy.hidden(part.batch, trunks[part.batch] if trunks else None)
    return token_logprobs(policy.backbone, learned_states(hidden, part.batch), part.batch).sum(1)


@torch.no_grad()
def refer(policy: Role, part: RankingBatch, trunks: TrunkCache | None = None) -> Referred:
    return Referred(part, completion_logprobs(policy, part, trunks))


def accumulate_loss(
    config: DPOConfig, policy: Role, batch: RankingStep, referred: list[Referred], trunks: TrunkCache
) -> dict[str, float]:
    """Add up the gradient of this process's share. Returns what its share adds to the step's metrics."""
    added = {"loss": 0.0, "accuracy": 0.0, "reward_margin": 0.0, "tokens": 0.0}
    for part in referred:
        logprobs = completion_logprobs(policy, part.rankings, trunks)
        loss = policy_loss(config, logprobs, part) / batch.weight
        loss.backward()  # type: ignore[no-untyped-call]
        lead = margins(config.beta, logprobs.detach(), part)
        added["loss"] += loss.item()
        added["accuracy"] += (lead > 0).sum().item() / batch.comparisons
        added["reward_margin"] += lead.sum().item() / batch.comparisons
        added["tokens"] += part.rankings.batch.token_count
    return added


def policy_loss(config: DPOConfig, logprobs: Tensor, part: Referred) -> Tensor:
    """The config's loss as a sum over the rankings, to be divided by the step's total weight."""
    said = part.rankings.said
    if config.loss == "plackett_luce":
        (weights,) = shares(said.weights, said.choice_of)
        return listwise_dpo_loss(logprobs, part.ref_logprobs, said.winners, said.below, weights, config.beta)
    (weights,) = shares(said.weights, said.comparison_of)
    return dpo_loss(logprobs, part.ref_logprobs, said.chosen, said.rejected, weights, config.beta)


def margins(beta: float, logprobs: Tensor, part: Referred) -> Tensor:
    """(P,) by how much the policy's own score of each winner leads."""
    scores = implicit_rewards(logprobs, part.ref_logprobs, beta)
    return scores[part.rankings.chosen] - scores[part.rankings.rejected]


@torch.no_grad()
def accuracy(policy: Role, referred: list[Referred], world: World) -> float:
    """Share of the comparisons whose winner the policy has come to prefer more than its start did."""
    added = {"right": 0.0, "count": 0.0}
    for part in referred:
        lead = margins(1.0, completion_logprobs(policy, part.rankings), part)
        added["right"] += ((lead > 0).float() + 0.5 * (lead == 0).float()).sum().item()
        added["count"] += len(lead)
    total = world.totals(added)
    return total["right"] / total["count"]
