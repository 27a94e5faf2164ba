"""What one PPO iteration learns from."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from trainer.handoff.configs import PPOConfig
from trainer.rlhf.advantages import generalized_advantages, shape_rewards, whiten
from trainer.rlhf.batches import Batch, TokenSequence, answer_sequence, pad, rows_by_length
from trainer.rlhf.modeling import Backbone, Role, ScalarHead, learned_states, token_logprobs
from trainer.rlhf.reward_models import RewardModel
from trainer.rlhf.rewards import Conversation, Reward
from trainer.rlhf.sampling import Sampled, sample
from trainer.rlhf.world import World


@dataclass(frozen=True)
class Models:
    """Who takes part. Policy, reference and critic share the backbone where there are adapters."""

    policy: Role
    reference: Role
    reward: RewardModel | None
    """Scores tokens, from the shared trunk where it can."""
    critic: Role
    """Whose hidden states the values are read from: the policy, or a role that began as the reward model."""
    value_head: ScalarHead
    tokenizer: Any = None
    """Makes the texts that the next two read."""
    other_reward: Reward | None = None
    """What its scores are added to the reward model's."""
    holdout_reward: Reward | None = None
    """Scores what the policy says and never teaches it."""

    def values(self, states: Tensor, part: Batch, trunk: Tensor | None) -> Tensor:
        """(N, T), 0 on padding; ``states`` (N, T, H) are the policy's."""
        if self.critic is not self.policy:
            shared = self.critic.backbone is self.policy.backbone
            states = learned_states(self.critic.hidden(part, trunk if shared else None), part)
        values: Tensor = self.value_head(states) * part.mask
        return values


@dataclass(frozen=True)
class Measured:
    """What everybody says about what the policy said.

    logprobs       (B, T)  of the policy that sampled, recomputed the way the update computes them
    ref_logprobs   (B, T)  of the reference
    values         (B, T)
    raw_scores     (B,)    of the reward model, normalized, and of the other rewards
    holdout_scores (B,)    of the held-out reward, or None
    """

    logprobs: Tensor
    ref_logprobs: Tensor
    values: Tensor
    raw_scores: Tensor
    holdout_scores: Tensor | None = None


@dataclass(frozen=True)
class Rollout:
    """B completions of the policy, T tokens at most: this process's share of an iteration's.

    lengths        (rollout_size,)  learned tokens of every completion, those of the other processes too
    samples        what was drawn
    scores         (B,)    normalized, clipped, penalized
    advantages     (B, T)  whitened over all processes
    returns        (B, T)
    trunk          (B, S, H)  activations below the first adapter, or None
    """

    batch: Batch
    lengths: Tensor
    samples: list[Sampled]
    measured: Measured
    scores: Tensor
    advantages: Tensor
    returns: Tensor
    trunk: Tensor | None

    def token_count(self, world: World) -> int:
        """Of all processes together, prompts included."""
        return int(world.totals({"tokens": float(self.batch.token_count)})["tokens"])

    def ref_kl(self) -> Tensor:
        """(B,) the drift from the reference, summed over each completion."""
        drift = (self.measured.logprobs - self.measured.ref_logprobs) * self.batch.mask
        return drift.sum(1)

    def sample_logprobs(self) -> Tensor:
        """(B, T) of each token as the sampler saw it."""
        logprobs = torch.zeros_like(self.batch.mask)
        for row, sampled in enumerate(self.samples):
            logprobs[row, : len(sampled.logprobs)] = torch.tensor(sampled.logprobs)
        return logprobs

    def metrics(self, world: World) -> dict[str, float]:
        """Of all processes' completions together."""
        mask, logprobs = self.batch.mask, self.measured.logprobs
        returns = (self.returns * mask).double()
        errors = returns - (self.measured.values * mask).double()
        watched = self.measured.holdout_scores
        added = world.totals(
            {
                "completions": float(len(mask)),
                "tokens": mask.sum().item(),
                "score": self.scores.sum().item(),
                "ref_kl": self.ref_kl().sum().item(),
                "surprise": -(logprobs * mask).sum().item(),
                "finished": float(sum(sample.finished for sample in self.samples)),
                "return": returns.sum().item(),
                "return_squared": (returns**2).sum().item(),
                "error": errors.sum().item(),
                "error_squared": (errors**2).sum().item(),
                **({} if watched is None else {"holdout_score": watched.sum().item()}),
            }
        )
        completions, tokens = added["completions"], added["tokens"]
        spread = added["return_squared"] / tokens - (added["return"] / tokens) ** 2
        unexplained = added["error_squared"] / tokens - (added["error"] / tokens) ** 2
        return {
            "score": added["score"] / completions,
            "ref_kl": added["ref_kl"] / completions,
            "entropy": added["surprise"] / tokens,
            "mean_length": tokens / completions,
            "finished_share": added["finished"] / completions,
            "explained_variance": 1 - unexplained / max(spread, 1e-8),
            **({} if watched is None else {"holdout_score": added["holdout_score"] / completions}),
        }

    def state(self) -> dict[str, Tensor]:
        """All of it as tensors, but the trunk, which the models can say again."""
        tensors = {
            "lengths": self.lengths,
            "scores": self.scores,
            "advantages": self.advantages,
            "returns": self.returns,
            "sample_logprobs": self.sample_logprobs(),
            "said": torch.tensor([len(sampled.tokens) for sampled in self.samples]),
            "finished": torch.tensor([sampled.finished for sampled in self.samples]),
        }
        parts = [(f"batch.{field.name}", getattr(self.batch, field.name)) for field in fields(Batch)]
        said = [(f"measured.{field.name}", getattr(self.measured, field.name)) for field in fields(Measured)]
        return tensors | {name: tensor for name, tensor in parts + said if tensor is not None}

    @classmethod
    def from_state(cls, state: dict[str, Tensor], backbone: Backbone, rows_per_pass: int) -> "Rollout":
        state = {name: tensor.to(backbone.device) for name, tensor in state.items()}
        batch = Batch(**{k.removeprefix("batch."): t for k, t in state.items() if k.startswith("batch.")})
        samples = [
            Sampled(tokens=tokens[:said].tolist(), logprobs=logprobs[:said].tolist(), finished=bool(finished))
            for tokens, logprobs, said, finished in zip(
                batch.tokens, state["sample_logprobs"], state["said"], state["finished"], strict=True
            )
        ]
        measured = {k.removeprefix("measured."): t for k, t in state.items() if k.startswith("measured.")}
        return cls(
            batch=batch,
            lengths=state["lengths"],
            samples=samples,
            measured=Measured(**measured),
            scores=state["scores"],
            advantages=state["advantages"],
            returns=state["returns"],
            trunk=trunk_of(backbone, batch, rows_per_pass),
        )


@torch.no_grad()
def collect_rollout(
    config: PPOConfig,
    models: Models,
    prompts: Sequence[list[int]],
    *,
    conversations: Sequence[Conversation] = (),
    eos: int,
    luck: Tensor,
    kl_coef: float,
    world: World,
) -> Rollout:
    """Sample a completion for each prompt (token ids), score it, and work out advantages. ``prompts`` are
    this process's share, and so are ``conversations``, which rewards read that score texts, and ``luck``
    (B, max_new_tokens)."""
    samples = sample(
        models.policy,
        prompts,
        temperature=config.temperature,
        max_new_tokens=config.max_new_tokens,
        eos=eos,
        luck=luck,
        anybody=world.anybody,
    )
    sequences = [sampled_sequence(p, s, eos) for p, s in zip(prompts, samples, strict=True)]
    batch = pad(sequences, models.policy.backbone.device)
    trunk = trunk_of(models.policy.backbone, batch, config.rows_per_pass)
    measured = read_texts(models, measure(config, models, batch, trunk, world), conversations, samples)
    scores = judge(config, measured.raw_scores, samples)
    rewards = shape_rewards(scores, measured.logprobs, measured.ref_logprobs, batch.mask, kl_coef)
    advantages = generalized_advantages(rewards, measured.values, batch.mask, config.gamma, config.gae_lambda)
    return Rollout(
        batch=batch,
        lengths=torch.tensor(world.gather([len(sequence.learned) for sequence in sequences])),
        samples=samples,
        measured=measured,
        scores=scores,
        advantages=whiten(advantages, batch.mask, world.sum),
        returns=advantages + measured.values,
        trunk=trunk,
    )


def sampled_sequence(prompt: list[int], sampled: Sampled, eos: int) -> TokenSequence:
    """What was said, with an end mark behind it even where it was cut: the reward model has learned from
    texts that end. Only the policy's own tokens are learned."""
    sequence = answer_sequence(prompt, sampled.tokens)
    return sequence if sampled.finished else replace(sequence, ids=[*sequence.ids, eos])


def passes_in_step(batch: Batch, size: int, world: World, among: Tensor | None = None) -> list[Tensor]:
    """``rows_by_length``, with passes of no row where others of the ``world`` have more."""
    passes = rows_by_length(batch, size, among)
    return world.evened(passes, torch.zeros(0, dtype=torch.long, device=batch.last.device))


@torch.no_grad()
def trunk_of(backbone: Backbone, batch: Batch, rows_per_pass: int) -> Tensor | None:
    """Activations (B, S, H) below the first adapter, which every role and every pass shares; None if none."""
    trunk: Tensor | None = None
    for rows in rows_by_length(batch, rows_per_pass):
        below = backbone.trunk(batch.rows(rows))
        if below is None:
            return None
        trunk = below.new_zeros(*batch.ids.shape, below.shape[-1]) if trunk is None else trunk
        trunk[rows, : below.shape[1]] = below
    return trunk


@torch.no_grad()
def measure(config: PPOConfig, models: Models, batch: Batch, trunk: Tensor | None, world: World) -> Measured:
    """A few rows of like length at a time, exactly as the update reads them."""
    backbone, reference, reward = models.policy.backbone, models.reference, models.reward
    logprobs, ref_logprobs, values = (torch.zeros_like(batch.mask) for _ in range(3))
    scores = torch.zeros(len(batch.last), device=batch.mask.device)
    for rows in passes_in_step(batch, config.rows_per_pass, world):
        part = batch.rows(rows)
        below = None if trunk is None else trunk[rows, : part.ids.shape[1]]
        learned = slice(part.mask.shape[1])
        states = learned_states(models.policy.hidden(part, below), part)
        logprobs[rows, learned] = token_logprobs(backbone, states, part, config.temperature)
        values[rows, learned] = models.values(states, part, below)
        ref_states = learned_states(reference.hidden(part, below), part)
        ref_logprobs[rows, learned] = token_logprobs(reference.backbone, ref_states, part, config.temperature)
        if reward is not None:
            scores[rows] = reward.scores(part, below if reward.role.backbone is backbone else None)
    return Measured(logprobs, ref_logprobs, values, scores)


def read_texts(
    models: Models, measured: Measured, conversations: Sequence[Conversation], samples: list[Sampled]
) -> Measured:
    """``measured`` with what the rewards say that read texts."""
    if models.other_reward is None and models.holdout_reward is None:
        return measured
    texts = [sampled.text(models.tokenizer) for sampled in samples]
    if models.other_reward is not None:
        added = measured.raw_scores.new_tensor(models.other_reward.score(conversations, texts))
        measured = replace(measured, raw_scores=measured.raw_scores + added)
    if models.holdout_reward is not None:
        watched = measured.raw_scores.new_tensor(models.holdout_reward.score(conversations, texts))
        measured = replace(measured, holdout_scores=watched)
    return measured


def judge(config: PPOConfig, scores: Tensor, samples: list[Sampled]) -> Tensor:
    """(B,) what counts of the reward model's scores (B,): clipped, less what a cut completion owes."""
    if config.score_clip:
        scores = scores.clamp(-config.score_clip, config.score_clip)
    cut = torch.tensor([not sampled.finished for sampled in samples], device=scores.device)
    return scores - config.missing_eos_penalty * cut
