"""Settings that differ from the stages' defaults, by kind of run."""

from typing import Any

Recipe = dict[str, dict[str, Any]]

SHORT: Recipe = {
    "sft": {"learning_rate": 1e-3, "epochs": 4},
    "reward": {"learning_rate": 1e-3, "epochs": 3},
    "ppo": {
        "learning_rate": 1e-3,
        "iterations": 12,
        "rollout_size": 32,
        "temperature": 0.8,
        "max_new_tokens": 48,
        "target_ref_kl": 5.0,
    },
    "sample": {"temperature": 0.8, "max_new_tokens": 48, "batch_size": 64, "prompts": 96},
}
"""Minutes on two cores with a model of 135 million weights, instead of hours on a GPU. The learning rates
are far above the defaults: few steps must go far. ``make loop`` shows what comes of it."""
