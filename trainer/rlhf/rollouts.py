"""What one PPO iteration learns from."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from trainer.handoff.configs import PPOConfig
from trainer.rlhf.advantages import generalized_advantages, shape_rewards, whiten
from trainer.rlhf.batches import Batch, TokenSequence, answer_sequence, pad, rows_by_length
from trainer.rlhf.losses import token_mean
from trainer.rlhf.modeling import Role, ScalarHead, learned_states, token_logprobs
from trainer.rlhf.reward import RewardModel
from trainer.rlhf.sampling import Sampled, sample


@dataclass(frozen=True)
class Models:
    """Who takes part. Policy and reference share the backbone where there are adapters."""

    policy: Role
    reference: Role
    reward: RewardModel
    value_head: ScalarHead
    """Reads the policy's hidden states."""


@dataclass(frozen=True)
class Rollout:
    """B completions of the policy, T tokens at most.

    trunk          (B, S, H)  activations below the first adapter, or None
    logprobs       (B, T)     of the policy that sampled, recomputed the way the update computes them
    ref_logprobs   (B, T)     of the reference
    sample_logprobs (B, T)    as the sampler saw them
    values         (B, T)
    scores         (B,)       normalized, clipped, penalized
    advantages     (B, T)     whitened
    returns        (B, T)
    """

    batch: Batch
    trunk: Tensor | None
    samples: list[Sampled]
    logprobs: Tensor
    ref_logprobs: Tensor
    sample_logprobs: Tensor
    values: Tensor
    scores: Tensor
    advantages: Tensor
    returns: Tensor

    def ref_kl(self) -> Tensor:
        """(B,) the drift from the reference, summed over each completion."""
        return ((self.logprobs - self.ref_logprobs) * self.batch.mask).sum(1)

    def metrics(self) -> dict[str, float]:
        mask = self.batch.mask
        errors, returns = self.returns - self.values, self.returns
        spread = token_mean((returns - token_mean(returns, mask)) ** 2, mask)
        unexplained = token_mean((errors - token_mean(errors, mask)) ** 2, mask)
        return {
            "score": self.scores.mean().item(),
            "ref_kl": self.ref_kl().mean().item(),
            "entropy": -token_mean(self.logprobs, mask).item(),
            "mean_length": mask.sum(1).mean().item(),
            "finished_share": sum(sample.finished for sample in self.samples) / len(self.samples),
            "explained_variance": (1 - unexplained / spread.clamp(min=1e-8)).item(),
        }


@torch.no_grad()
def collect_rollout(
    config: PPOConfig, models: Models, prompts: list[list[int]], eos: int, generator: torch.Generator
) -> Rollout:
    """Sample a completion for each prompt (token ids), score it, and work out advantages."""
    samples = sample(
        models.policy,
        prompts,
        temperature=config.temperature,
        max_new_tokens=config.max_new_tokens,
        eos=eos,
        generator=generator,
    )
    sequences = [sampled_sequence(p, s, eos) for p, s in zip(prompts, samples, strict=True)]
    batch = pad(sequences, models.policy.backbone.device)
    trunk, logprobs, ref_logprobs, values, raw_scores = measure(config, models, batch)
    scores = judge(config, raw_scores, samples)
    rewards = shape_rewards(scores, logprobs, ref_logprobs, batch.mask, config.kl_coef)
    advantages = generalized_advantages(rewards, values, batch.mask, config.gamma, config.gae_lambda)
    return Rollout(
        batch=batch,
        trunk=trunk,
        samples=samples,
        logprobs=logprobs,
        ref_logprobs=ref_logprobs,
        sample_logprobs=_padded(samples, batch),
        values=values,
        scores=scores,
        advantages=whiten(advantages, batch.mask),
        returns=advantages + values,
    )


def sampled_sequence(prompt: list[int], sampled: Sampled, eos: int) -> TokenSequence:
    """What was said, with an end mark behind it even where it was cut: the reward model has learned from
    texts that end. Only the policy's own tokens are learned."""
    sequence = answer_sequence(prompt, sampled.tokens)
    return sequence if sampled.finished else replace(sequence, ids=[*sequence.ids, eos])


def measure(
    config: PPOConfig, models: Models, batch: Batch
) -> tuple[Tensor | None, Tensor, Tensor, Tensor, Tensor]:
    """What everybody says about a batch: the trunk's activations (B, S, H), log-probabilities of policy and
    reference, values (all (B, T), 0 on padding), and scores (B,)."""
    backbone, reference, reward = models.policy.backbone, models.reference, models.reward
    logprobs, ref_logprobs, values = (torch.zeros_like(batch.mask) for _ in range(3))
    scores = torch.zeros(len(batch.last), device=batch.mask.device)
    trunk: Tensor | None = None
    for rows in rows_by_length(batch, config.rows_per_pass):
        part = batch.rows(rows)
        learned = slice(part.mask.shape[1])
        below = backbone.trunk(part)
        if below is not None:
            trunk = below.new_zeros(*batch.ids.shape, below.shape[-1]) if trunk is None else trunk
            trunk[rows, : below.shape[1]] = below
        states = learned_states(models.policy.hidden(part, below), part)
        logprobs[rows, learned] = token_logprobs(backbone, states, part, config.temperature)
        values[rows, learned] = models.value_head(states) * part.mask
        ref_states = learned_states(reference.hidden(part, below), part)
        ref_logprobs[rows, learned] = token_logprobs(reference.backbone, ref_states, part, config.temperature)
        scores[rows] = reward.scores(part, below if reward.role.backbone is backbone else None)
    return trunk, logprobs, ref_logprobs, values, scores


def judge(config: PPOConfig, scores: Tensor, samples: list[Sampled]) -> Tensor:
    """(B,) what counts of the reward model's scores (B,): clipped, less what a cut completion owes."""
    if config.score_clip:
        scores = scores.clamp(-config.score_clip, config.score_clip)
    cut = torch.tensor([not sampled.finished for sampled in samples], device=scores.device)
    return scores - config.missing_eos_penalty * cut


def _padded(samples: list[Sampled], batch: Batch) -> Tensor:
    logprobs = torch.zeros_like(batch.mask)
    for row, sampled in enumerate(samples):
        logprobs[row, : len(sampled.logprobs)] = torch.tensor(sampled.logprobs)
    return logprobs
