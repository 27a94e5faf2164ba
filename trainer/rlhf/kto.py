"""Kahneman–Tversky optimization (Ethayarajh et al. 2024): the policy from single answers that somebody called
good or bad, without two to compare.

How much better than usual an answer has become is its implicit reward, β log(π / π_ref), above that of
answers that have nothing to do with their prompts.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trainer.handoff.configs import KTOConfig
from trainer.handoff.records import FeedbackRecord, read_records
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.adapters import publish_role
from trainer.rlhf.batches import (
    Batch,
    TokenSequence,
    answer_sequence,
    completion_ids,
    length_buckets,
    pad,
    prompt_ids,
)
from trainer.rlhf.epochs import Epochs
from trainer.rlhf.errors import BadData
from trainer.rlhf.loading import load_backbone, load_tokenizer
from trainer.rlhf.modeling import FULL, Role, learned_states, token_logprobs
from trainer.rlhf.ranking_losses import implicit_rewards, kto_loss
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.sharding import shard_layers
from trainer.rlhf.side_by_side import SideBySide
from trainer.rlhf.trunks import TrunkCache
from trainer.rlhf.world import World


@dataclass(frozen=True)
class Opinion:
    """What somebody said of one answer, in tokens."""

    prompt: list[int]
    completion: list[int]
    is_good: bool
    weight: float = 1.0

    @property
    def width(self) -> int:
        return len(self.prompt) + len(self.completion)


@dataclass(frozen=True)
class Asked:
    """An opinion beside an answer to another prompt."""

    opinion: Opinion
    stranger: list[int]

    @property
    def own(self) -> TokenSequence:
        return answer_sequence(self.opinion.prompt, self.opinion.completion)

    @property
    def other(self) -> TokenSequence:
        return answer_sequence(self.opinion.prompt, self.stranger)


@dataclass(frozen=True)
class Referred:
    """Opinions side by side, and what the start of the run says of their answers.

    ref_own, ref_other  (N,)  log-probabilities of whole completions
    signs               (N,)  1 good, −1 bad
    weights             (N,)  of the opinion and of its kind
    """

    own: Batch
    other: Batch
    ref_own: Tensor
    ref_other: Tensor
    signs: Tensor
    weights: Tensor


@dataclass(frozen=True)
class Step:
    """What one optimizer step learns: this process's share, a few opinions at a time."""

    passes: list[Referred]
    weight: float
    """Of the opinions in the whole batch, over all processes."""
    opinions: int


def train_kto(
    config: KTOConfig, spec: RunSpec, directory: RunDirectory, report: Reporter, world: World
) -> dict[str, object]:
    tokenizer = load_tokenizer(spec.base_model)
    train, held_out, left_out = opinions_in(directory.data_path("feedback.parquet"), tokenizer, config)
    backbone = load_backbone(spec.base_model, config)
    policy = Role(backbone, "policy" if config.lora_rank else None)
    backbone.add_role(policy.name or FULL, config.seed)
    if config.shard:
        shard_layers(backbone, world)
    beside = SideBySide(
        policy,
        tokenizer,
        directory.data_path("feedback.parquet"),
        max_prompt_tokens=config.max_prompt_tokens,
        longest=max(len(opinion.completion) for opinion in train),
        world=world,
    )
    trunks = TrunkCache(backbone)

    # The reference is the policy before its first step, so it need not stay: what it says is kept instead.
    steps = [_step(config, policy, bucket, trunks, world) for bucket in buckets_of(train, config)]
    looked_at = [
        refer(config, policy, portion)
        for portion in world.portions(beside_strangers(held_out), config.batch_size)
    ]
    epochs = Epochs(config, steps, backbone.learned_by(policy.name or FULL), directory, report, world)
    for batch in epochs.steps():
        baseline = usual_reward(config, policy, batch.passes, world, trunks)
        epochs.update(accumulate_loss(config, policy, batch, baseline, trunks))

    summary: dict[str, object] = {
        "loss": round(epochs.last["loss"], 4),
        "good": sum(opinion.is_good for opinion in train),
        "bad": sum(not opinion.is_good for opinion in train),
        "held_out_accuracy": None,
    }
    summary |= {"left_out": left_out} if left_out else {}
    if held_out:
        held_out_accuracy = accuracy(config, policy, looked_at, world)
        epochs.tell(held_out_accuracy=held_out_accuracy)
        summary["held_out_accuracy"] = round(held_out_accuracy, 4)
    beside.keep(directory, step=epochs.learner.step)
    publish_role(backbone, policy.name or FULL, tokenizer, directory, world)
    return summary


def opinions_in(file: Path, tokenizer: Any, config: KTOConfig) -> tuple[list[Opinion], list[Opinion], int]:
    """Train and held-out opinions, and how many had too long a prompt.

    :raises BadData: there are not both good and bad answers to learn from.
    """
    train: list[Opinion] = []
    held_out: list[Opinion] = []
    left_out = 0
    for row in read_records(file, FeedbackRecord):
        prompt = prompt_ids(tokenizer, row.messages)
        if len(prompt) > config.max_prompt_tokens:
            left_out += 1
            continue
        answer = completion_ids(tokenizer, row.completion, config.max_completion_tokens)
        opinion = Opinion(prompt, answer, row.label, row.weight)
        (held_out if row.split == "held_out" else train).append(opinion)
    if len({opinion.is_good for opinion in train}) < 2:
        raise BadData(
            "KTO needs good answers and bad ones: the snapshot's train split has not both"
            + (f" with a prompt of at most {config.max_prompt_tokens} tokens." if left_out else ".")
        )
    return train, held_out, left_out


def buckets_of(train: Sequence[Opinion], config: KTOConfig) -> Iterator[list[Asked]]:
    widths = [opinion.width for opinion in train]
    for bucket in length_buckets(train, widths, config.batch_size, random.Random(config.seed)):
        yield beside_strangers(bucket)


def beside_strangers(opinions: Sequence[Opinion]) -> list[Asked]:
    """Each prompt with the next one's answer, the last with the first's."""
    following = [*opinions[1:], *opinions[:1]]
    return [Asked(opinion, other.completion) for opinion, other in zip(opinions, following, strict=True)]


def usual_reward(
    config: KTOConfig,
    policy: Role,
    parts: Sequence[Referred],
    world: World,
    trunks: TrunkCache | None = None,
) -> float:
    """β z₀ (eq. 7): how far the policy has moved for answers that nobody was asked about; never below 0. Of
    the whole batch, whatever is dealt to whom, and a number: no gradient goes through it."""
    added = {"reward": 0.0, "count": 0.0}
    with torch.no_grad():
        for part in parts:
            logprobs = completion_logprobs(policy, part.other, trunks)
            added["reward"] += implicit_rewards(logprobs, part.ref_other, config.beta).sum().item()
            added["count"] += len(logprobs)
    total = world.totals(added)
    return max(0.0, total["reward"] / max(1.0, total["count"]))


def accumulate_loss(
    config: KTOConfig, policy: Role, batch: Step, baseline: float, trunks: TrunkCache
) -> dict[str, float]:
    """Add up the gradient of this process's share. Returns what its share adds to the step's metrics."""
    added = {"loss": 0.0, "accuracy": 0.0, "tokens": 0.0}
    for part in batch.passes:
        logprobs = completion_logprobs(policy, part.own, trunks)
        rewards = implicit_rewards(logprobs, part.ref_own, config.beta)
        loss = kto_loss(rewards, baseline, part.signs, part.weights) / batch.weight
        loss.backward()  # type: ignore[no-untyped-call]
        added["loss"] += loss.item()
        added["accuracy"] += right_side(rewards.detach(), baseline, part.signs) / batch.opinions
        added["tokens"] += part.own.token_count
    return added


@torch.no_grad()
def accuracy(config: KTOConfig, policy: Role, parts: Sequence[Referred], world: World) -> float:
    """Share of the answers that stand on that side of the usual reward where people put them."""
    baseline = usual_reward(config, policy, parts, world)
    added = {"right": 0.0, "count": 0.0}
    for part in parts:
        logprobs = completion_logprobs(policy, part.own)
        rewards = implicit_rewards(logprobs, part.ref_own, config.beta)
        added["right"] += right_side(rewards, baseline, part.signs)
        added["count"] += len(rewards)
    total = world.totals(added)
    return total["right"] / total["count"]


def right_side(rewards: Tensor, baseline: float, signs: Tensor) -> float:
    """How many; one that stands exactly there is half right."""
    lead = signs * (rewards - baseline)
    return float((lead > 0).sum() + 0.5 * (lead == 0).sum())


def completion_logprobs(policy: Role, batch: Batch, trunks: TrunkCache | None = None) -> Tensor:
    """(N,) the log-probability of each whole completion."""
    hidden = policy.hidden(batch, trunks[batch] if trunks else None)
    return token_logprobs(policy.backbone, learned_states(hidden, batch), batch).sum(1)


@torch.no_grad()
def refer(
    config: KTOConfig, policy: Role, portion: Sequence[Asked], trunks: TrunkCache | None = None
) -> Referred:
    device = policy.backbone.device
    own, other = (pad(some, device) for some in ([a.own for a in portion], [a.other for a in portion]))
    kinds = {True: config.desirable_weight, False: config.undesirable_weight}
    opinions = [asked.opinion for asked in portion]
    return Referred(
        own=own,
        other=other,
        ref_own=completion_logprobs(policy, own, trunks),
        ref_other=completion_logprobs(policy, other, trunks),
        signs=torch.tensor([1.0 if one.is_good else -1.0 for one in opinions], device=device),
        weights=torch.tensor([one.weight * kinds[one.is_good] for one in opinions], device=device),
    )


def _step(config: KTOConfig, policy: Role, bucket: Sequence[Asked], trunks: TrunkCache, world: World) -> Step:
    portions = world.portions(bucket, config.rows_per_pass or len(bucket))
    return Step(
        passes=[refer(config, policy, portion, trunks) for portion in portions],
        weight=sum(asked.opinion.weight for asked in bucket),
        opinions=len(bucket),
    )
