"""Supervised learning on demonstrations: the likelihood of what the assistant said, in each of its turns."""

import random

import torch
from torch import nn

from trainer.handoff.configs import SFTConfig
from trainer.handoff.records import DemonstrationRecord, read_records
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.batches import Batch, TokenSequence, dialogue_sequence, length_buckets, pad
from trainer.rlhf.errors import LabError
from trainer.rlhf.losses import token_mean
from trainer.rlhf.modeling import (
    Role,
    learned_states,
    load_backbone,
    load_tokenizer,
    save_model,
    token_logprobs,
)
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.schedules import cosine
from trainer.rlhf.trunks import TrunkCache


def train_sft(
    config: SFTConfig, spec: RunSpec, directory: RunDirectory, report: Reporter
) -> dict[str, object]:
    tokenizer = load_tokenizer(spec.base_model)
    train, held_out, left_out = _sequences(config, directory, tokenizer)
    backbone = load_backbone(spec.base_model, config)
    learner = Role(backbone, "sft")
    parameters = backbone.add_role("sft", config.seed)
    trunks = TrunkCache(backbone)

    rng = random.Random(config.seed)
    batches = [
        pad(bucket, backbone.device)
        for bucket in length_buckets(train, [len(s.ids) for s in train], config.batch_size, rng)
    ]
    steps = config.epochs * len(batches)
    optimizer = torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, cosine(steps))
    step = 0
    for _epoch in range(config.epochs):
        rng.shuffle(batches)
        for batch in batches:
            loss = sft_loss(learner, batch, trunks)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            norm = nn.utils.clip_grad_norm_(parameters, config.max_grad_norm)
            optimizer.step()
            step += 1
            report.step(
                step,
                steps,
                tokens=batch.token_count,
                loss=loss.item(),
                grad_norm=norm.item(),
                learning_rate=float(schedule.get_last_lr()[0]),
            )
            schedule.step()

    summary: dict[str, object] = {"loss": round(loss.item(), 4), "demonstrations": len(train)}
    summary |= {"left_out": left_out} if left_out else {}
    if held_out:
        held_out_loss = mean_loss(learner, held_out, config.batch_size)
        report.step(steps, steps, held_out_loss=held_out_loss)
        summary["held_out_loss"] = round(held_out_loss, 4)
    with directory.publish_result() as folder:
        save_model(backbone.merge("sft"), tokenizer, folder)
    return summary


def sft_loss(learner: Role, batch: Batch, trunks: TrunkCache) -> torch.Tensor:
    """Nats per learned token."""
    states = learned_states(learner.hidden(batch, trunks[batch]), batch)
    return -token_mean(token_logprobs(learner.backbone, states, batch), batch.mask)


@torch.no_grad()
def mean_loss(learner: Role, sequences: list[TokenSequence], batch_size: int) -> float:
    """Nats per learned token over all the sequences: the mean over tokens, not over batches."""
    total = tokens = 0.0
    for start in range(0, len(sequences), batch_size):
        batch = pad(sequences[start : start + batch_size], learner.backbone.device)
        states = learned_states(learner.hidden(batch), batch)
        total -= token_logprobs(learner.backbone, states, batch).sum().item()
        tokens += batch.mask.sum().item()
    return total / tokens


def _sequences(
    config: SFTConfig, directory: RunDirectory, tokenizer: object
) -> tuple[list[TokenSequence], list[TokenSequence], int]:
    """Train and held-out sequences, and how many demonstrations had too long a prompt."""
    train: list[TokenSequence] = []
    held_out: list[TokenSequence] = []
    left_out = 0
    for row in read_records(directory.data_path("demonstrations.parquet"), DemonstrationRecord):
        sequence = dialogue_sequence(tokenizer, row.messages, row.turns, config.max_completion_tokens)
        if sequence.learned[0] > config.max_prompt_tokens:
            left_out += 1
        else:
            (held_out if row.split == "held_out" else train).append(sequence)
    if not train:
        raise LabError(
            "There is no demonstration to learn from: the snapshot has none in its train split"
            + (f", or none whose prompt has at most {config.max_prompt_tokens} tokens." if left_out else ".")
        )
    return train, held_out, left_out
