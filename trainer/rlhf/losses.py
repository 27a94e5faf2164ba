"""The losses over tokens, as pure functions. B completions of T tokens. Those over rankings are in
``ranking_losses.py``."""

import torch
from torch import Tensor


def token_mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean of (B, T) values over the tokens that ``mask`` (B, T) names; 0 where it names none."""
    return (values * mask).sum() / mask.sum().clamp(min=1)


def policy_loss(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, clip_range: float
) -> Tensor:
    """PPO's clipped objective, negated (Schulman et al. 2017, eq. 7). All (B, T)."""
    ratio = (logprobs - old_logprobs).exp()
    clipped = ratio.clamp(1 - clip_range, 1 + clip_range)
    return -token_mean(torch.minimum(ratio * advantages, clipped * advantages), mask)


def value_loss(
    values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, clip_range: float
) -> Tensor:
    """Half the squared error; a value that moved too far from its rollout's gains nothing. All (B, T)."""
    errors = (values - returns) ** 2
    if clip_range:
        kept = old_values + (values - old_values).clamp(-clip_range, clip_range)
        errors = torch.maximum(errors, (kept - returns) ** 2)
    return 0.5 * token_mean(errors, mask)
