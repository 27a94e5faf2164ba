"""Every metric a run may log, and what it is. ``docs/metrics.md`` has the formulas and healthy ranges."""

METRICS: dict[str, str] = {
    "loss": "What the step minimized: nats per token in SFT, nats per ranking in reward training.",
    "held_out_loss": "The loss on the held-out demonstrations.",
    "accuracy": "Share of the batch's comparisons whose winner scored higher.",
    "held_out_accuracy": "Share of the held-out comparisons whose winner scores higher.",
    "reward_margin": "By how much the policy's own score of a winner leads, mean over the comparisons.",
    "learning_rate": "Of the optimizer, at this step.",
    "grad_norm": "Norm of the gradient before it was scaled down.",
    "score": "Mean normalized score of the rollout's completions.",
    "ref_kl": "Mean drift of the policy from the reference, summed over a completion, in nats.",
    "kl_coef": "Price of the drift, as it stood at this iteration.",
    "ptx_loss": "Nats per token of the demonstrations that are mixed in.",
    "entropy": "Mean surprise of the policy at its own tokens, in nats per token.",
    "mean_length": "Mean tokens of a completion.",
    "finished_share": "Share of completions that the policy ended by itself.",
    "policy_loss": "PPO's clipped objective, negated.",
    "value_loss": "Half the mean squared error of the values.",
    "approx_kl": "Drift of the policy within the update, per token, in nats.",
    "clip_fraction": "Share of tokens whose probability ratio left the clip range.",
    "explained_variance": "Share of the returns' variance that the values explain.",
    "tokens_per_second": "Tokens that went through the step, per second.",
}
