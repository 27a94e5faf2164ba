"""What one PPO iteration learns from."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from trainer.handoff.configs import PPOConfig
from trainer.rlhf.advantages import generalized_advantages, shape_rewards, whiten
from trainer.rlhf.batches import Batch, TokenSequence, answer_sequence, pad
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
    backbone = models.policy.backbone
    sequences = [sampled_sequence(p, s, eos) for p, s in zip(prompts, samples, strict=True)]
    batch = pad(sequences, backbone.device)
    trunk = backbone.trunk(batch)
    states = learned_states(models.policy.hidden(batch, trunk), batch)
    logprobs = token_logprobs(backbone, states, batch, config.temperature)
    values = models.value_head(states) * batch.mask
    ref_hidden = models.reference.hidden(batch, trunk)
    ref_states = learned_states(ref_hidden, batch)
    ref_logprobs = token_logprobs(models.reference.backbone, ref_states, batch, config.temperature)

    is_shared = models.reward.role.backbone is backbone
    scores = judge(config, models.reward, samples, batch, trunk if is_shared else None)
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


def judge(
    config: PPOConfig, reward: RewardModel, samples: list[Sampled], batch: Batch, trunk: Tensor | None = None
) -> Tensor:
    """(B,) normalized scores of what was said; what a cut completion owes is taken off here."""
    scores = reward.scores(batch, trunk)
    if config.score_clip:
        scores = scores.clamp(-config.score_clip, config.score_clip)
    cut = torch.tensor([not sampled.finished for sampled in samples], device=scores.device)
    return scores - config.missing_eos_penalty * cut


def _padded(samples: list[Sampled], batch: Batch) -> Tensor:
    logprobs = torch.zeros_like(batch.mask)
    for row, sampled in enumerate(samples):
        logprobs[row, : len(sampled.logprobs)] = torch.tensor(sampled.logprobs)
    return logprobs
