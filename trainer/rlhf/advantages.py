"""From scores to advantages. All tensors (B, T): completions by tokens; masks are 1.0 on real tokens."""

from collections.abc import Callable

import torch
from torch import Tensor


def shape_rewards(
    scores: Tensor, logprobs: Tensor, ref_logprobs: Tensor, mask: Tensor, kl_coef: float
) -> Tensor:
    """Per-token rewards: the price of drifting from the reference on every token, the score (B,) on the last.

    The drift is the k1 estimate log π − log π_ref, whose mean over the policy's own samples is the KL.
    """
    rewards = -kl_coef * (logprobs - ref_logprobs) * mask
    last = mask.sum(1).long() - 1
    rewards[torch.arange(len(rewards)), last] += scores
    return rewards


def generalized_advantages(
    rewards: Tensor, values: Tensor, mask: Tensor, gamma: float, gae_lambda: float
) -> Tensor:
    """GAE (Schulman et al. 2016, eq. 16). The episode ends at the last real token."""
    rewards, values = rewards * mask, values * mask
    next_value = next_advantage = torch.zeros_like(values[:, 0])
    advantages = torch.zeros_like(values)
    for t in reversed(range(values.shape[1])):
        delta = rewards[:, t] + gamma * next_value - values[:, t]
        next_advantage = (delta + gamma * gae_lambda * next_advantage) * mask[:, t]
        next_value = values[:, t]
        advantages[:, t] = next_advantage
    return advantages


def whiten(values: Tensor, mask: Tensor, total: Callable[[Tensor], Tensor] = lambda x: x) -> Tensor:
    """Mean 0 and variance 1 over the real tokens; 0 on padding. ``total`` sums a tensor over processes."""
    count = total(mask.sum())
    mean = total((values * mask).sum()) / count
    variance = total(((values - mean) ** 2 * mask).sum()) / count
    return (values - mean) * torch.rsqrt(variance + 1e-8) * mask
