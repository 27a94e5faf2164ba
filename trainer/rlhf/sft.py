"""Supervised learning on demonstrations: the likelihood of what the assistant said, in each of its turns."""

import random
from dataclasses import dataclass
from pathlib import Path

import torch

from trainer.handoff.configs import SFTConfig
from trainer.handoff.records import DemonstrationRecord, read_records
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.adapters import publish_role
from trainer.rlhf.batches import Batch, TokenSequence, dialogue_sequence, length_buckets, pad
from trainer.rlhf.epochs import Epochs
from trainer.rlhf.errors import BadData
from trainer.rlhf.learner import BestSoFar
from trainer.rlhf.loading import load_backbone, load_tokenizer
from trainer.rlhf.modeling import Role, learned_states, token_logprobs
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.sharding import shard_layers
from trainer.rlhf.side_by_side import SideBySide
from trainer.rlhf.trunks import TrunkCache
from trainer.rlhf.world import World


@dataclass(frozen=True)
class SFTBatch:
    """What one optimizer step learns: this process's share, a few sequences at a time."""

    passes: list[Batch]
    learned_tokens: int
    """In the whole batch, over all processes: the loss is a mean over tokens, however they are dealt out."""


def train_sft(
    config: SFTConfig, spec: RunSpec, directory: RunDirectory, report: Reporter, world: World
) -> dict[str, object]:
    tokenizer = load_tokenizer(spec.base_model)
    train, held_out, left_out = demonstrations_in(
        directory.data_path("demonstrations.parquet"),
        tokenizer,
        config.max_prompt_tokens,
        config.max_completion_tokens,
    )
    backbone = load_backbone(spec.base_model, config)
    policy = Role(backbone, "sft")
    backbone.add_role("sft", config.seed)
    if config.shard:
        shard_layers(backbone, world)
    beside = SideBySide(
        policy,
        tokenizer,
        directory.data_path("demonstrations.parquet"),
        max_prompt_tokens=config.max_prompt_tokens,
        longest=max(len(sequence.learned) for sequence in train),
        world=world,
    )
    trunks = TrunkCache(backbone)

    lengths = [len(sequence.ids) for sequence in train]
    buckets = length_buckets(train, lengths, config.batch_size, random.Random(config.seed))
    batches = [collate(bucket, config.rows_per_pass, world) for bucket in buckets]
    epochs = Epochs(config, batches, backbone.learned_by("sft"), directory, report, world)
    best = BestSoFar(epochs.learner, config.patience)
    for batch in epochs.steps(best=best):
        if best.gave_up:
            break
        epochs.update(accumulate_loss(policy, batch, trunks))
        if held_out and epochs.is_epochs_end:
            held_out_loss = mean_loss(policy, held_out, config.batch_size, world)
            epochs.tell(held_out_loss=held_out_loss)
            best.consider(held_out_loss)

    best.restore()
    summary: dict[str, object] = {"loss": round(epochs.last["loss"], 4), "demonstrations": len(train)}
    summary |= {"left_out": left_out} if left_out else {}
    summary |= {"held_out_loss": round(best.loss, 4)} if held_out else {}
    beside.keep(directory, step=epochs.learner.step)
    publish_role(backbone, "sft", tokenizer, directory, world)
    return summary


def collate(bucket: list[TokenSequence], rows_per_pass: int, world: World) -> SFTBatch:
    portions = world.portions(bucket, rows_per_pass or len(bucket))
    return SFTBatch(
        passes=[pad(portion, world.device) for portion in portions],
        learned_tokens=sum(len(sequence.learned) for sequence in bucket),
    )


def accumulate_loss(policy: Role, batch: SFTBatch, trunks: TrunkCache) -> dict[str, float]:
    """Add up the gradient of this process's share. Returns what its share adds to the step's metrics."""
    added = {"loss": 0.0, "tokens": 0.0}
    for part in batch.passes:
        loss = sft_loss(policy, part, trunks, batch.learned_tokens)
        loss.backward()  # type: ignore[no-untyped-call]
        added["loss"] += loss.item()
        added["tokens"] += part.token_count
    return added


def sft_loss(policy: Role, part: Batch, trunks: TrunkCache | None, learned_tokens: float) -> torch.Tensor:
    """Nats of the part's learned tokens, per learned token of the whole batch."""
    states = learned_states(policy.hidden(part, trunks[part] if trunks else None), part)
    return -token_logprobs(policy.backbone, states, part).sum() / learned_tokens


@torch.no_grad()
def mean_loss(policy: Role, sequences: list[TokenSequence], batch_size: int, world: World) -> float:
    """Nats per learned token over all the sequences: the mean over tokens, not over batches."""
    nats = tokens = 0.0
    by_length = sorted(sequences, key=lambda sequence: len(sequence.ids))
    for portion in world.portions(by_length, batch_size):
        batch = pad(portion, world.device)
        states = learned_states(policy.hidden(batch), batch)
        nats -= token_logprobs(policy.backbone, states, batch).sum().item()
        tokens += batch.mask.sum().item()
    total = world.totals({"nats": nats, "tokens": tokens})
    return total["nats"] / total["tokens"]


def demonstrations_in(
    file: Path, tokenizer: object, max_prompt_tokens: int, max_completion_tokens: int
) -> tuple[list[TokenSequence], list[TokenSequence], int]:
    """Train and held-out sequences, and how many demonstrations had too long a prompt.

    :raises LabError: there is nothing to learn from.
    """
    train: list[TokenSequence] = []
    held_out: list[TokenSequence] = []
    left_out = 0
    for row in read_records(file, DemonstrationRecord):
        sequence = dialogue_sequence(tokenizer, row.messages, row.turns, max_completion_tokens)
        if sequence.learned[0] > max_prompt_tokens:
            left_out += 1
        else:
            (held_out if row.split == "held_out" else train).append(sequence)
    if not train:
        raise BadData(
            "There is no demonstration to learn from: the snapshot has none in its train split"
            + (f", or none whose prompt has at most {max_prompt_tokens} tokens." if left_out else ".")
        )
    return train, held_out, left_out
