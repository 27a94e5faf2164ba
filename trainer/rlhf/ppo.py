"""PPO against a reward model, with a per-token price for drifting from the start (InstructGPT 2022, §3.5).

Differs from the paper: the value head reads the policy's own hidden states, and there is no pretraining mix.
"""

import itertools
import math
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from trainer.handoff.configs import PPOConfig
from trainer.handoff.records import PromptRecord, read_records
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.batches import prompt_ids, rows_by_length
from trainer.rlhf.errors import LabError
from trainer.rlhf.losses import policy_loss, token_mean, value_loss
from trainer.rlhf.modeling import (
    FULL,
    Role,
    ScalarHead,
    frozen_copy,
    learned_states,
    load_backbone,
    load_tokenizer,
    save_model,
    token_logprobs,
)
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.reward import load_reward_model
from trainer.rlhf.rollouts import Models, Rollout, collect_rollout

# bfloat16 keeps 8 bits: the sampler's log-probabilities, computed token by token, differ that much from the
# update's, computed at once.
MOST_SAMPLING_GAP = {torch.float32: 1e-3, torch.bfloat16: 0.1}


def train_ppo(
    config: PPOConfig, spec: RunSpec, directory: RunDirectory, report: Reporter
) -> dict[str, object]:
    if spec.reward_model is None:
        raise LabError("PPO needs a reward model: train one from rankings first.")
    tokenizer = load_tokenizer(spec.base_model)
    prompts, left_out = _train_prompts(config, directory, tokenizer)
    backbone = load_backbone(spec.base_model, config)
    models = _models(config, spec, backbone)
    groups: list[dict[str, Any]] = [
        {"params": backbone.add_role(models.policy.name or FULL, config.seed)},
        {"params": list(models.value_head.parameters()), "lr": config.value_learning_rate},
    ]
    optimizer = torch.optim.AdamW(
        groups,
        lr=config.learning_rate,
        betas=(0.9, 0.95),
        weight_decay=0.0,
    )
    generator = torch.Generator().manual_seed(config.seed)
    order = _endless(list(prompts), random.Random(config.seed))

    for iteration in range(1, config.iterations + 1):
        chosen = list(itertools.islice(order, config.rollout_size))
        rollout = collect_rollout(
            config, models, [prompts[key] for key in chosen], tokenizer.eos_token_id, generator
        )
        if iteration == 1:
            check_step_zero(rollout, backbone.model.dtype)
        _keep_samples(directory, tokenizer, rollout, chosen, iteration)
        measured = rollout.metrics()
        # Before the update: what is published is the policy that was measured.
        if config.target_ref_kl and measured["ref_kl"] >= config.target_ref_kl:
            report.step(iteration, iteration, tokens=rollout.batch.token_count, **measured)
            break
        losses = update(config, models, optimizer, rollout, generator)
        report.step(
            iteration,
            config.iterations,
            tokens=rollout.batch.token_count,
            **measured,
            **losses,
            learning_rate=config.learning_rate,
        )

    with directory.publish_result() as folder:
        save_model(backbone.merge(models.policy.name or FULL), tokenizer, folder)
    return {
        "score": round(measured["score"], 4),
        "ref_kl": round(measured["ref_kl"], 4),
        "mean_length": round(measured["mean_length"], 2),
        "steps": iteration,
        **({"left_out": left_out} if left_out else {}),
    }


def update(
    config: PPOConfig,
    models: Models,
    optimizer: torch.optim.Optimizer,
    rollout: Rollout,
    generator: torch.Generator,
) -> dict[str, float]:
    """Several passes over a rollout, in minibatches. Returns the means of what the passes measured."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    measured: list[dict[str, float]] = []
    for _epoch in range(config.epochs):
        shuffled = torch.randperm(config.rollout_size, generator=generator)
        for index in torch.split(shuffled, config.minibatch_size):
            optimizer.zero_grad()
            losses = accumulate_losses(config, models, rollout, index)
            norm = nn.utils.clip_grad_norm_(parameters, config.max_grad_norm)
            optimizer.step()
            measured.append({"grad_norm": norm.item(), **losses})
        if config.target_approx_kl and measured[-1]["approx_kl"] > config.target_approx_kl:
            break
    return {name: math.fsum(one[name] for one in measured) / len(measured) for name in measured[0]}


def accumulate_losses(config: PPOConfig, models: Models, rollout: Rollout, index: Tensor) -> dict[str, float]:
    """Add up the gradient of a minibatch, a few completions of like length at a time. Returns its losses."""
    tokens = rollout.batch.mask[index].sum()
    sums: dict[str, float] = defaultdict(float)
    for rows in rows_by_length(rollout.batch, config.rows_per_pass, index):
        # Means over tokens: each part counts by how many it has.
        share = rollout.batch.mask[rows].sum() / tokens
        losses = ppo_losses(config, models, rollout, rows)
        total = losses["policy_loss"] + config.vf_coef * losses["value_loss"]
        (share * total).backward()  # type: ignore[no-untyped-call]
        for name, loss in losses.items():
            sums[name] += (share * loss).item()
    return dict(sums)


def ppo_losses(config: PPOConfig, models: Models, rollout: Rollout, index: Tensor) -> dict[str, Tensor]:
    """The losses on the chosen rows of a rollout, and how far the policy has moved on them."""
    backbone = models.policy.backbone
    part = rollout.batch.rows(index)
    trunk = None if rollout.trunk is None else rollout.trunk[index, : part.ids.shape[1]]
    learned = part.mask.shape[1]
    old, advantages, returns, old_values = (
        x[index, :learned] for x in (rollout.logprobs, rollout.advantages, rollout.returns, rollout.values)
    )
    states = learned_states(models.policy.hidden(part, trunk), part)
    logprobs = token_logprobs(backbone, states, part, config.temperature)
    values = models.value_head(states) * part.mask
    with torch.no_grad():
        log_ratio = (logprobs - old) * part.mask
        outside = ((log_ratio.exp() - 1).abs() > config.clip_range).float()
        moved = {
            # The k3 estimate: never negative.
            "approx_kl": token_mean(log_ratio.exp() - 1 - log_ratio, part.mask),
            "clip_fraction": token_mean(outside, part.mask),
        }
    return {
        "policy_loss": policy_loss(logprobs, old, advantages, part.mask, config.clip_range),
        "value_loss": value_loss(values, old_values, returns, part.mask, config.value_clip_range),
        **moved,
    }


def check_step_zero(rollout: Rollout, dtype: torch.dtype) -> None:
    """Before the first update the policy is the reference, and is what was sampled from.

    :raises LabError: it is not, so every later number would be wrong.
    """
    drift = rollout.ref_kl().abs().max().item()
    if not drift <= 1e-4:  # no number either
        raise LabError(f"The policy differs from its reference before training (ref_kl {drift:.4g}).")
    gap = token_mean((rollout.logprobs - rollout.sample_logprobs).abs(), rollout.batch.mask).item()
    if gap > MOST_SAMPLING_GAP[dtype]:
        raise LabError(
            f"Sampling and scoring disagree about the policy by {gap:.4g} nats per token. "
            "This model cannot be trained as it is; dtype=float32 may help."
        )


def _models(config: PPOConfig, spec: RunSpec, backbone: Any) -> Models:
    assert spec.reward_model is not None
    reward = load_reward_model(
        Path(spec.reward_model), shared=backbone, base_digest=spec.base_digest, dtype=backbone.model.dtype
    )
    # Without adapters the policy is the backbone itself, and the reference a copy of its start.
    policy, reference = (
        (Role(backbone, "policy"), Role(backbone, None))
        if config.lora_rank
        else (Role(backbone, None), Role(frozen_copy(backbone), None))
    )
    value_head = ScalarHead(backbone.hidden_size, spread=0.0, seed=config.seed).to(backbone.device)
    return Models(policy=policy, reference=reference, reward=reward, value_head=value_head)


def _train_prompts(
    config: PPOConfig, directory: RunDirectory, tokenizer: Any
) -> tuple[dict[int, list[int]], int]:
    """Token ids of the train prompts, by prompt id; and how many were too long."""
    rows = read_records(directory.data_path("prompts.parquet"), PromptRecord)
    prompts = {row.prompt_id: prompt_ids(tokenizer, row.messages) for row in rows if row.split != "held_out"}
    short = {key: ids for key, ids in prompts.items() if len(ids) <= config.max_prompt_tokens}
    if not short:
        raise LabError(
            f"There is no prompt to train on: the snapshot has {len(prompts)} in its train split, "
            f"none with at most {config.max_prompt_tokens} tokens."
        )
    return short, len(prompts) - len(short)


def _endless(keys: list[int], rng: random.Random) -> Iterator[int]:
    """Every key once in random order, then again."""
    while True:
        rng.shuffle(keys)
        yield from keys


def _keep_samples(
    directory: RunDirectory, tokenizer: Any, rollout: Rollout, prompt_keys: list[int], iteration: int
) -> None:
    """What the policy said: people can rank these later."""
    rows = zip(prompt_keys, rollout.samples, rollout.scores.tolist(), rollout.ref_kl().tolist(), strict=True)
    for prompt_id, said, score, ref_kl in rows:
        directory.append_sample(
            prompt_id=prompt_id,
            completion=tokenizer.decode(said.tokens, skip_special_tokens=True).strip(),
            finished=said.finished,
            tokens=len(said.tokens),
            score=round(score, 4),
            ref_kl=round(ref_kl, 4),
            step=iteration,
        )
