"""Settings that differ from the stages' defaults, by kind of run."""

from typing import Any

Recipe = dict[str, dict[str, Any]]

# One long prompt pads a whole rollout.
_SHORT_PROMPTS = {"max_prompt_tokens": 48}
_FEW_LAYERS = {**_SHORT_PROMPTS, "lora_layers": 6, "learning_rate": 1e-3}
_BRIEF_ANSWERS = {"temperature": 0.8, "max_new_tokens": 48}

SHORT: Recipe = {
    "sft": {**_FEW_LAYERS, "epochs": 4},
    "reward": {**_FEW_LAYERS, "epochs": 2},
    "ppo": {
        **_FEW_LAYERS,
        **_BRIEF_ANSWERS,
        "iterations": 8,
        "epochs": 3,
        "critic": "policy",
        "value_learning_rate": 1e-3,
        # The whole answer earns its score at its end, and much of that is due to how it began.
        "gae_lambda": 1.0,
        "rollout_size": 32,
        "rows_per_pass": 8,
        "target_ref_kl": 5.0,
    },
    "sample": {**_SHORT_PROMPTS, **_BRIEF_ANSWERS, "batch_size": 64, "prompts": 96},
}
"""Minutes on two cores with a model of 135 million weights, instead of hours on a GPU. The learning rate is
far above the defaults: few steps must go far. ``make loop`` shows what comes of it."""
