"""PPO against a reward model, with a per-token price for drifting from the start (InstructGPT 2022, §3.5)."""

import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trainer.handoff.configs import PPOConfig
from trainer.handoff.records import Message, PromptRecord, read_records
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.adapters import publish_role
from trainer.rlhf.batches import TokenSequence, prompt_ids
from trainer.rlhf.checkpoints import Checkpoints, Numbers
from trainer.rlhf.critics import make_critic
from trainer.rlhf.errors import BadData, LabError, NotANumber
from trainer.rlhf.flight import Flight, KLController
from trainer.rlhf.learner import Learner
from trainer.rlhf.loading import load_backbone, load_tokenizer, pick_dtype
from trainer.rlhf.losses import policy_loss, token_mean, value_loss
from trainer.rlhf.modeling import FULL, Backbone, Role, frozen_copy, learned_states, token_logprobs
from trainer.rlhf.randomness import seed_for, uniforms
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.reward_models import load_reward_model
from trainer.rlhf.rewards import holdout_reward, load_reward
from trainer.rlhf.rollouts import Models, Rollout, collect_rollout, passes_in_step
from trainer.rlhf.sft import collate, demonstrations_in, sft_loss
from trainer.rlhf.sharding import shard_layers
from trainer.rlhf.side_by_side import SideBySide
from trainer.rlhf.world import World

# bfloat16 keeps 8 bits: the sampler's log-probabilities, computed token by token, differ that much from the
# update's, computed at once.
MOST_SAMPLING_GAP = {torch.float32: 1e-3, torch.bfloat16: 0.1}


def train_ppo(
    config: PPOConfig, spec: RunSpec, directory: RunDirectory, report: Reporter, world: World
) -> dict[str, object]:
    tokenizer = load_tokenizer(spec.base_model)
    prompts, left_out = train_prompts(config, directory, tokenizer)
    conversations = conversations_in(directory)
    demonstrations = demonstrations_to_mix(config, directory, tokenizer)
    backbone = load_backbone(spec.base_model, config)
    models = _models(config, spec, backbone, tokenizer)
    if config.shard:
        _shard(models, world)
    beside = SideBySide(
        models.policy,
        tokenizer,
        directory.data_path("prompts.parquet"),
        max_prompt_tokens=config.max_prompt_tokens,
        longest=config.max_new_tokens,
        world=world,
    )
    learner = _learner(config, models, world)
    controller = KLController(config.kl_coef, config.kl_target, config.kl_horizon)
    progress, flight = Numbers(iteration=1.0), Flight(backbone, config.rows_per_pass)
    checkpoints = Checkpoints(
        directory,
        report,
        world,
        every=config.checkpoint_every,
        shared={"learner": learner, "controller": controller, "progress": progress},
        local={"flight": flight},
    )
    checkpoints.resume()

    while (iteration := int(progress["iteration"])) <= config.iterations:
        keys = prompt_keys(list(prompts), config.rollout_size, iteration, config.seed)
        if flight.rollout is None:
            mine = world.share(keys)
            begun = collect_rollout(
                config,
                models,
                [prompts[key] for key in mine],
                conversations=[conversations[key] for key in mine],
                eos=tokenizer.eos_token_id,
                luck=_luck(config, iteration, world),
                kl_coef=controller.kl_coef,
                world=world,
            )
            if learner.step == 0:
                check_step_zero(begun, backbone.compute)
            flight.begin(begun)
        assert flight.rollout is not None
        rollout = flight.rollout
        measured = rollout.metrics(world) | {"kl_coef": controller.kl_coef}
        progress |= {name: measured[name] for name in ("score", "ref_kl", "mean_length")}
        # Before the update: what is published is the policy that was measured.
        if config.target_ref_kl and measured["ref_kl"] >= config.target_ref_kl:
            _keep_samples(directory, tokenizer, rollout, keys, iteration, world)
            report.step(iteration, iteration, tokens=rollout.token_count(world), **measured)
            break
        rate = learner.rate
        for index in flight.minibatches_to_go(config, iteration):
            mix = _pretraining_mix(config, demonstrations, learner.step)
            flight.note(update(config, models, learner, rollout, index, mix))
            checkpoints.stop_if_asked(learner.step)
        # Not before its last minibatch: an iteration that is begun anew must not be kept twice.
        _keep_samples(directory, tokenizer, rollout, keys, iteration, world)
        report.step(
            iteration,
            config.iterations,
            tokens=rollout.token_count(world),
            **measured,
            **flight.means(),
            learning_rate=rate,
        )
        flight.land()
        controller.update(measured["ref_kl"], episodes=config.rollout_size)
        progress["iteration"] += 1
        checkpoints.after(learner.step, count=iteration)

    with learner.averaged():
        beside.keep(directory, step=min(iteration, config.iterations))
        publish_role(backbone, models.policy.name or FULL, tokenizer, directory, world)
    return {
        "score": round(progress["score"], 4),
        "ref_kl": round(progress["ref_kl"], 4),
        "mean_length": round(progress["mean_length"], 2),
        "steps": min(iteration, config.iterations),
        **({"left_out": left_out} if left_out else {}),
    }


def update(
    config: PPOConfig,
    models: Models,
    learner: Learner,
    rollout: Rollout,
    index: Tensor,
    mix: list[TokenSequence],
) -> dict[str, float]:
    """One optimizer step on a minibatch: rows ``index`` of the whole rollout, and texts to keep knowing.
    Returns what was measured on the way."""
    world = learner.world
    tokens = rollout.lengths[index].sum()
    losses = accumulate_losses(config, models, rollout, world.mine(index), tokens, world)
    if mix:
        losses |= accumulate_pretraining_loss(config, models.policy, mix, world)
    losses = world.totals(losses)
    return {"grad_norm": learner.update(), **losses}


def accumulate_losses(
    config: PPOConfig, models: Models, rollout: Rollout, index: Tensor, tokens: Tensor, world: World
) -> dict[str, float]:
    """Add up the gradient of a minibatch, a few completions of like length at a time.

    index   (…)  this process's rows of the minibatch
    tokens  ()   learned tokens in the whole minibatch: every part counts by how many of them it has
    """
    sums: dict[str, float] = defaultdict(float, dict.fromkeys(LOSSES, 0.0))
    for rows in passes_in_step(rollout.batch, config.rows_per_pass, world, index):
        share = rollout.batch.mask[rows].sum() / tokens.to(rollout.batch.mask)
        losses = ppo_losses(config, models, rollout, rows)
        total = losses["policy_loss"] + config.vf_coef * losses["value_loss"]
        (share * total).backward()  # type: ignore[no-untyped-call]
        for name, loss in losses.items():
            sums[name] += (share * loss).item()
    return dict(sums)


LOSSES = ("policy_loss", "value_loss", "approx_kl", "clip_fraction")


def ppo_losses(config: PPOConfig, models: Models, rollout: Rollout, index: Tensor) -> dict[str, Tensor]:
    """The losses on the chosen rows of a rollout, and how far the policy has moved on them."""
    part = rollout.batch.rows(index)
    trunk = None if rollout.trunk is None else rollout.trunk[index, : part.ids.shape[1]]
    learned = part.mask.shape[1]
    old, old_values, advantages, returns = (
        x[index, :learned]
        for x in (rollout.measured.logprobs, rollout.measured.values, rollout.advantages, rollout.returns)
    )
    states = learned_states(models.policy.hidden(part, trunk), part)
    logprobs = token_logprobs(models.policy.backbone, states, part, config.temperature)
    values = models.values(states, part, trunk)
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


def accumulate_pretraining_loss(
    config: PPOConfig, policy: Role, sequences: list[TokenSequence], world: World
) -> dict[str, float]:
    """Add the gradient of PPO-ptx (InstructGPT 2022, eq. 2): ``ptx_coef`` times the nats per token of texts
    that the policy is to keep knowing."""
    batch = collate(sequences, config.rows_per_pass, world)
    added = 0.0
    for part in batch.passes:
        loss = sft_loss(policy, part, None, batch.learned_tokens)
        (config.ptx_coef * loss).backward()  # type: ignore[no-untyped-call]
        added += loss.item()
    return {"ptx_loss": added}


def check_step_zero(rollout: Rollout, dtype: torch.dtype) -> None:
    """Before the first update the policy is the reference, and is what was sampled from.

    :raises LabError: it is not, so every later number would be wrong.
    """
    drift = rollout.ref_kl().abs().max().item()
    if not drift <= 1e-4:  # no number either
        raise NotANumber(f"The policy differs from its reference before training (ref_kl {drift:.4g}).")
    surprise = (rollout.measured.logprobs - rollout.sample_logprobs()).abs()
    gap = token_mean(surprise, rollout.batch.mask).item()
    if gap > MOST_SAMPLING_GAP[dtype]:
        raise NotANumber(
            f"Sampling and scoring disagree about the policy by {gap:.4g} nats per token. "
            "This model cannot be trained as it is; dtype=float32 may help."
        )


def prompt_keys(keys: Sequence[int], count: int, iteration: int, seed: int) -> list[int]:
    """The prompts of an iteration: every key once in random order, then all again in another."""
    first = (iteration - 1) * count
    rounds = range(first // len(keys), (first + count - 1) // len(keys) + 1)
    order = [
        key
        for number in rounds
        for key in random.Random(seed_for(seed, "prompts", number)).sample(keys, len(keys))
    ]
    start = first - rounds[0] * len(keys)
    return order[start : start + count]


def _luck(config: PPOConfig, iteration: int, world: World) -> Tensor:
    """This process's rows of the numbers that decide an iteration's completions."""
    luck = uniforms(config.rollout_size, config.max_new_tokens, config.seed, "rollout", iteration)
    return luck[world.rank :: world.size]


def _models(config: PPOConfig, spec: RunSpec, backbone: Backbone, tokenizer: Any) -> Models:
    other = load_reward(spec.rewards, pick_dtype(config))
    holdout = load_reward(holdout_reward(spec), pick_dtype(config))
    reward = None
    if spec.reward_model:
        reward = load_reward_model(
            Path(spec.reward_model), shared=backbone, base_digest=spec.base_digest, dtype=backbone.model.dtype
        )
    if reward is None and other is None:
        raise LabError("PPO needs a reward model: train one from rankings first.")
    # Without adapters the policy is the backbone itself, and the reference a copy of its start.
    policy, reference = (
        (Role(backbone, "policy"), Role(backbone, None))
        if config.lora_rank
        else (Role(backbone, None), Role(frozen_copy(backbone), None))
    )
    backbone.add_role(policy.name or FULL, config.seed)
    critic, value_head = make_critic(config, policy, reward)
    return Models(
        policy=policy,
        reference=reference,
        reward=reward,
        critic=critic,
        value_head=value_head,
        tokenizer=tokenizer,
        other_reward=other,
        holdout_reward=holdout,
    )


def _shard(models: Models, world: World) -> None:
    """Leave each process its part of everybody's layers."""
    reward = [models.reward.role] if models.reward else []
    roles = [models.policy, models.reference, models.critic, *reward]
    for backbone in {id(role.backbone): role.backbone for role in roles}.values():
        shard_layers(backbone, world)
    for head in [models.value_head, *([models.reward.head] if models.reward else [])]:
        head.to(world.device)


def _learner(config: PPOConfig, models: Models, world: World) -> Learner:
    learned = {
        f"policy.{name}": parameter
        for name, parameter in models.policy.backbone.learned_by(models.policy.name or FULL).items()
    }
    critic = {f"value.{name}": parameter for name, parameter in models.value_head.named_parameters()}
    if models.critic is not models.policy:
        adapters = models.critic.backbone.learned_by(models.critic.name or FULL)
        critic |= {f"critic.{name}": parameter for name, parameter in adapters.items()}
    return Learner(
        learned | critic,
        learning_rate=config.learning_rate,
        learning_rates=dict.fromkeys(critic, config.value_learning_rate),
        betas=(0.9, 0.95),
        max_grad_norm=config.max_grad_norm,
        ema_decay=config.ema_decay,
        world=world,
    )


def train_prompts(
    config: PPOConfig, directory: RunDirectory, tokenizer: Any
) -> tuple[dict[int, list[int]], int]:
    """Token ids of the train prompts, by prompt id; and how many were too long."""
    rows = read_records(directory.data_path("prompts.parquet"), PromptRecord)
    prompts = {row.prompt_id: prompt_ids(tokenizer, row.messages) for row in rows if row.split != "held_out"}
    short = {key: ids for key, ids in prompts.items() if len(ids) <= config.max_prompt_tokens}
    if not short:
        raise BadData(
            f"There is no prompt to train on: the snapshot has {len(prompts)} in its train split, "
            f"none with at most {config.max_prompt_tokens} tokens."
        )
    return short, len(prompts) - len(short)


def conversations_in(directory: RunDirectory) -> dict[int, list[Message]]:
    """What was said in each prompt, by its id."""
    rows = read_records(directory.data_path("prompts.parquet"), PromptRecord)
    return {row.prompt_id: row.messages for row in rows}


def demonstrations_to_mix(config: PPOConfig, directory: RunDirectory, tokenizer: Any) -> list[TokenSequence]:
    """What the policy is to keep knowing, where ``ptx_coef`` asks for it."""
    if not config.ptx_coef:
        return []
    file = directory.data_path("demonstrations.parquet")
    if not file.exists():
        raise LabError(
            f"ptx_coef is {config.ptx_coef}, but there are no demonstrations to mix in: the policy does not "
            "start from a supervised run, or its data is gone. Set ptx_coef to 0."
        )
    return demonstrations_in(file, tokenizer, config.max_prompt_tokens, config.max_new_tokens)[0]


def _pretraining_mix(config: PPOConfig, sequences: list[TokenSequence], step: int) -> list[TokenSequence]:
    """As many demonstrations as a minibatch has completions; none where none are wanted."""
    rng = random.Random(seed_for(config.seed, "ptx", step))
    return rng.sample(sequences, min(config.minibatch_size, len(sequences)))


def _keep_samples(
    directory: RunDirectory, tokenizer: Any, rollout: Rollout, keys: list[int], iteration: int, world: World
) -> None:
    """What the policy said: people can rank these later."""
    mine = zip(rollout.samples, rollout.scores.tolist(), rollout.ref_kl().tolist(), strict=True)
    rows = zip(keys, world.gather(list(mine)), strict=True)
    if not world.is_first:
        return
    for prompt_id, (said, score, ref_kl) in rows:
        directory.append_sample(
            prompt_id=prompt_id,
            completion=said.text(tokenizer),
            finished=said.finished,
            tokens=len(said.tokens),
            score=round(score, 4),
            ref_kl=round(ref_kl, 4),
            step=iteration,
        )
