"""What the stages can be told that train."""

from dataclasses import dataclass

from trainer.handoff.configs.base import ConfigError, LabConfig, above, at_least, between, one_of


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(LabConfig):
    """What the stages that train have."""

    learning_rate: float = 1e-4
    """Of AdamW, for adapters; full fine-tuning wants about a tenth of it."""
    lora_rank: int = 16
    """Rank of the adapters on every linear layer; 0 trains all weights."""
    lora_layers: int = 8
    """How many of the topmost layers get adapters; what lies below runs once per batch of data. 0: all."""
    max_grad_norm: float = 1.0
    """Gradients are scaled down to this norm."""
    gradient_checkpointing: bool = False
    """Keep only each layer's input and compute the rest again for the gradient: less memory, more time."""
    shard: bool = False
    """Spread weights, gradients and moments over the processes, for models too large for one device."""
    checkpoint_every: int = 50
    """Steps after which the run saves its state, to go on from it; 0: only when it is told to stop."""

    def __post_init__(self) -> None:
        super().__post_init__()
        above(self, 0, "learning_rate", "max_grad_norm")
        at_least(self, 0, "lora_rank", "lora_layers", "checkpoint_every")


@dataclass(frozen=True, kw_only=True)
class SFTConfig(TrainingConfig):
    """Supervised learning on demonstrations."""

    epochs: int = 3
    """Passes over the demonstrations."""
    batch_size: int = 8
    """Demonstrations per step."""
    rows_per_pass: int = 0
    """Demonstrations that go through the model at once, for memory alone; 0: all of a step's."""
    max_completion_tokens: int = 512
    """Longer answers of the assistant are cut."""
    patience: int = 0
    """Stop after so many epochs without a better held-out loss, and keep the best; 0: never."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 1, "epochs", "batch_size", "max_completion_tokens")
        at_least(self, 0, "rows_per_pass", "patience")


@dataclass(frozen=True, kw_only=True)
class RewardConfig(TrainingConfig):
    """A reward model from rankings."""

    epochs: int = 1
    """Passes over the rankings; more than a few overfit."""
    batch_size: int = 4
    """Rankings per step: all comparisons of a ranking are one element."""
    rows_per_pass: int = 0
    """Rankings that go through the model at once, for memory alone; 0: all of a step's."""
    max_completion_tokens: int = 512
    """Longer completions are cut."""
    loss: str = "bradley_terry"
    """bradley_terry: all comparisons; plackett_luce: the whole order; davidson, rao_kupper: ties as well."""
    margin: float = 0.0
    """By how much a winner's score is to lead, with bradley_terry; probabilities are no longer calibrated."""
    center_coef: float = 0.0
    """Price of scores that are not centred on 0; 0.01 is usual."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 1, "epochs", "batch_size", "max_completion_tokens")
        one_of(self, "loss", ("bradley_terry", "plackett_luce", "davidson", "rao_kupper"))
        at_least(self, 0, "margin", "center_coef")
        if self.margin and self.loss != "bradley_terry":
            raise ConfigError("margin", self.margin, "0 unless loss is bradley_terry")


@dataclass(frozen=True, kw_only=True)
class PPOConfig(TrainingConfig):
    """The policy, by PPO against a reward model."""

    checkpoint_every: int = 10
    """Iterations after which the run saves its state, to go on from it; 0: only when it is told to stop."""

    learning_rate: float = 2e-5
    """Of AdamW, for the policy's adapters."""
    critic: str = "reward"
    """Where values come from: reward (starts as the reward model) or policy (a head on it: half the work)."""
    value_learning_rate: float = 1e-4
    """Of AdamW, for the critic and its head; a head alone wants ten times as much."""
    iterations: int = 100
    """At most so many rollouts are collected; each is followed by ``epochs`` passes over it."""
    rollout_size: int = 64
    """Completions sampled per iteration."""
    minibatch_size: int = 16
    """Completions per optimizer step."""
    rows_per_pass: int = 16
    """Completions of like length that go through the model at once; for memory and speed alone."""
    epochs: int = 4
    """Passes over each rollout."""
    kl_coef: float = 0.05
    """Price of the per-token drift from the reference policy."""
    kl_target: float = 0.0
    """Steer the price toward this mean ``ref_kl`` a completion; 0: the price stays."""
    kl_horizon: int = 10_000
    """Completions over which a steered price adapts."""
    ptx_coef: float = 0.0
    """Weight of the likelihood of the start's demonstrations, mixed into every step (PPO-ptx); 0: none."""
    ema_decay: float = 0.0
    """Publish a moving average of the weights with this decay per step; 0: the last weights."""
    target_ref_kl: float = 0.0
    """Stop once a rollout's mean ``ref_kl`` reaches this; 0: never."""
    target_approx_kl: float = 0.0
    """End an iteration's passes early once the update itself drifts this far per token; 0: never."""
    clip_range: float = 0.2
    """How far the probability ratio may move before its gradient is cut."""
    value_clip_range: float = 0.2
    """How far a value may move from its rollout's in one update; 0: freely."""
    vf_coef: float = 0.1
    """Weight of the value loss."""
    gamma: float = 1.0
    """Discount."""
    gae_lambda: float = 0.95
    """Bias against variance of the advantages."""
    temperature: float = 1.0
    """Of sampling, and of every log-probability."""
    max_new_tokens: int = 64
    """Completions are cut here."""
    missing_eos_penalty: float = 1.0
    """Taken from the score of a completion that was cut."""
    score_clip: float = 4.0
    """Normalized scores are kept within plus and minus this; 0: not."""

    def __post_init__(self) -> None:
        super().__post_init__()
        above(self, 0, "value_learning_rate", "temperature", "clip_range")
        at_least(self, 1, "iterations", "rollout_size", "minibatch_size", "epochs", "max_new_tokens")
        at_least(self, 1, "rows_per_pass")
        at_least(self, 0, "kl_coef", "target_ref_kl", "target_approx_kl", "value_clip_range", "vf_coef")
        at_least(self, 0, "missing_eos_penalty", "score_clip", "kl_target", "ptx_coef")
        at_least(self, 1, "kl_horizon")
        between(self, 0, 1, "gamma", "gae_lambda", "ema_decay")
        one_of(self, "critic", ("reward", "policy"))
        if self.rollout_size % self.minibatch_size:
            allowed = f"a divisor of rollout_size ({self.rollout_size})"
            raise ConfigError("minibatch_size", self.minibatch_size, allowed)


@dataclass(frozen=True, kw_only=True)
class DPOConfig(TrainingConfig):
    """The policy, straight from rankings: no reward model and no sampling."""

    learning_rate: float = 2e-5
    """Of AdamW, for the policy's adapters."""
    epochs: int = 1
    """Passes over the rankings."""
    batch_size: int = 8
    """Rankings per step: all comparisons of a ranking are one element."""
    rows_per_pass: int = 0
    """Rankings that go through the model at once, for memory alone; 0: all of a step's."""
    max_completion_tokens: int = 512
    """Longer completions are cut."""
    loss: str = "bradley_terry"
    """bradley_terry: all comparisons, as DPO is known; plackett_luce: the whole order at once."""
    beta: float = 0.1
    """How dear it is to leave the start: the larger, the nearer the policy stays."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 1, "epochs", "batch_size", "max_completion_tokens")
        at_least(self, 0, "rows_per_pass")
        above(self, 0, "beta")
        one_of(self, "loss", ("bradley_terry", "plackett_luce"))


@dataclass(frozen=True, kw_only=True)
class KTOConfig(TrainingConfig):
    """The policy, from single answers that somebody called good or bad."""

    learning_rate: float = 2e-5
    """Of AdamW, for the policy's adapters."""
    epochs: int = 1
    """Passes over the opinions."""
    batch_size: int = 16
    """Opinions per step; their answers, exchanged, tell what is usual."""
    rows_per_pass: int = 0
    """Opinions that go through the model at once, for memory alone; 0: all of a step's."""
    max_completion_tokens: int = 512
    """Longer completions are cut."""
    beta: float = 0.1
    """How dear it is to leave the start: the larger, the nearer the policy stays."""
    desirable_weight: float = 1.0
    """Of good answers; raise it where most are bad."""
    undesirable_weight: float = 1.0
    """Of bad answers; raise it where most are good."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 1, "epochs", "max_completion_tokens")
        at_least(self, 2, "batch_size")
        at_least(self, 0, "rows_per_pass")
        above(self, 0, "beta", "desirable_weight", "undesirable_weight")
