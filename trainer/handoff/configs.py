"""What each stage can be told. A config is frozen, checked once, and saved whole into the run directory."""

import ast
import dataclasses
import inspect
import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from trainer.handoff.failures import Failure


class ConfigError(ValueError):
    """A setting that cannot be: names the field, its value and what is allowed."""

    failure = Failure.SETTINGS

    def __init__(self, field: str, value: object, allowed: str) -> None:
        shown = repr(value)
        shown = shown if len(shown) <= 100 else f"{shown[:99]}…"
        super().__init__(f"{field} is {shown}; it must be {allowed}.")
        self.field, self.value, self.allowed = field, value, allowed


@dataclass(frozen=True, kw_only=True)
class LabConfig:
    """What every stage has."""

    seed: int = 0
    """Of all randomness in the run; the same seed on the same machine gives the same result."""
    dtype: str = "auto"
    """Of the arithmetic: bfloat16, float32, or auto (bfloat16 where the machine has it)."""
    max_prompt_tokens: int = 1024
    """Longer prompts are left out, and counted in the summary."""

    def __post_init__(self) -> None:
        _one_of(self, "dtype", ("auto", "bfloat16", "float32"))
        _at_least(self, 1, "max_prompt_tokens")
        _at_least(self, 0, "seed")


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
        _above(self, 0, "learning_rate", "max_grad_norm")
        _at_least(self, 0, "lora_rank", "lora_layers", "checkpoint_every")


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
        _at_least(self, 1, "epochs", "batch_size", "max_completion_tokens")
        _at_least(self, 0, "rows_per_pass", "patience")


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
        _at_least(self, 1, "epochs", "batch_size", "max_completion_tokens")
        _one_of(self, "loss", ("bradley_terry", "plackett_luce", "davidson", "rao_kupper"))
        _at_least(self, 0, "margin", "center_coef")
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
        _above(self, 0, "value_learning_rate", "temperature", "clip_range")
        _at_least(self, 1, "iterations", "rollout_size", "minibatch_size", "epochs", "max_new_tokens")
        _at_least(self, 1, "rows_per_pass")
        _at_least(self, 0, "kl_coef", "target_ref_kl", "target_approx_kl", "value_clip_range", "vf_coef")
        _at_least(self, 0, "missing_eos_penalty", "score_clip", "kl_target", "ptx_coef")
        _at_least(self, 1, "kl_horizon")
        _between(self, 0, 1, "gamma", "gae_lambda", "ema_decay")
        _one_of(self, "critic", ("reward", "policy"))
        if self.shard:
            raise ConfigError("shard", self.shard, "false for ppo, whose processes do not sample in step")
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
        _at_least(self, 1, "epochs", "batch_size", "max_completion_tokens")
        _at_least(self, 0, "rows_per_pass")
        _above(self, 0, "beta")
        _one_of(self, "loss", ("bradley_terry", "plackett_luce"))


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
        _at_least(self, 1, "epochs", "max_completion_tokens")
        _at_least(self, 2, "batch_size")
        _at_least(self, 0, "rows_per_pass")
        _above(self, 0, "beta", "desirable_weight", "undesirable_weight")


@dataclass(frozen=True, kw_only=True)
class SampleConfig(LabConfig):
    """Candidates to rank, from a policy."""

    completions_per_prompt: int = 4
    """How many candidates each prompt gets."""
    best_of: int = 1
    """Each candidate is the best of so many by the reward model; 1: as sampled."""
    temperature: float = 0.9
    """Of sampling."""
    max_new_tokens: int = 128
    """Completions are cut here."""
    split: str = "all"
    """Which prompts: all, train or held_out."""
    prompts: int = 0
    """At most so many prompts, chosen by the seed; 0: all of them."""
    batch_size: int = 24
    """Completions sampled side by side; at least one prompt's."""
    most_tokens: int = 0
    """Where a model server is asked: it stops after so many tokens; 0: no limit."""
    requests_per_minute: int = 0
    """Where a model server is asked: at most so many requests a minute; 0: no limit."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _above(self, 0, "temperature")
        _between(self, 1, 9, "completions_per_prompt")
        _at_least(self, 1, "best_of", "max_new_tokens", "batch_size")
        _at_least(self, 0, "prompts", "most_tokens", "requests_per_minute")
        _one_of(self, "split", ("all", "train", "held_out"))

    @property
    def draws_per_prompt(self) -> int:
        return self.completions_per_prompt * self.best_of


Config = SFTConfig | RewardConfig | PPOConfig | DPOConfig | KTOConfig | SampleConfig
"""Of the stages whose memory is planned."""

CONFIGS: dict[str, type[LabConfig]] = {
    "sft": SFTConfig,
    "reward": RewardConfig,
    "ppo": PPOConfig,
    "dpo": DPOConfig,
    "kto": KTOConfig,
    "sample": SampleConfig,
}


def build_config(kind: str, values: Mapping[str, Any]) -> LabConfig:
    """The config of a stage from plain values; texts such as ``"0.05"`` are read as the field's type.

    :raises ConfigError: an unknown stage or field, or a value outside of what is allowed.
    """
    if kind not in CONFIGS:
        raise ConfigError("kind", kind, f"one of {', '.join(CONFIGS)}")
    config = CONFIGS[kind]
    types = get_type_hints(config)
    for name in values:
        if name not in types:
            raise ConfigError(
                name, values[name], f"one of the settings of {kind}: {', '.join(sorted(types))}"
            )
    return config(**{name: _coerced(name, value, types[name]) for name, value in values.items()})


def explain(kind: str) -> dict[str, tuple[Any, str]]:
    """Each setting of a stage with its default and its one-line explanation, inherited ones included."""
    config = CONFIGS[kind]
    notes: dict[str, str] = {}
    for base in reversed(config.__mro__):
        notes.update(_notes(base))
    return {field.name: (field.default, notes.get(field.name, "")) for field in dataclasses.fields(config)}


def _notes(config: type) -> dict[str, str]:
    """The text under each field, which Python itself throws away."""
    if not dataclasses.is_dataclass(config):
        return {}
    body = ast.parse(textwrap.dedent(inspect.getsource(config))).body[0]
    assert isinstance(body, ast.ClassDef)
    notes = {}
    for statement, following in zip(body.body, body.body[1:], strict=False):
        if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
            continue
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            notes[statement.target.id] = str(following.value.value)
    return notes


def _coerced(name: str, value: Any, wanted: type) -> Any:
    if wanted is bool:
        return _yes_or_no(name, value)
    try:
        if isinstance(value, bool) or value is None:
            raise ValueError
        if wanted is int and isinstance(value, float):
            if not value.is_integer():
                raise ValueError
            return int(value)
        coerced = wanted(value)
    except (TypeError, ValueError) as error:
        words = {int: "a whole number", float: "a number", str: "a text"}
        raise ConfigError(name, value, words[wanted]) from error
    if isinstance(coerced, float) and not math.isfinite(coerced):
        raise ConfigError(name, value, "a finite number")
    return coerced


def _yes_or_no(name: str, value: Any) -> bool:
    said = str(value).lower()
    if said not in ("true", "false"):
        raise ConfigError(name, value, "true or false")
    return said == "true"


def _at_least(config: Any, least: float, *names: str) -> None:
    for name in names:
        if not getattr(config, name) >= least:
            raise ConfigError(name, getattr(config, name), f"{least} or more")


def _above(config: Any, bound: float, *names: str) -> None:
    for name in names:
        if not getattr(config, name) > bound:
            raise ConfigError(name, getattr(config, name), f"more than {bound}")


def _between(config: Any, least: float, most: float, *names: str) -> None:
    for name in names:
        if not least <= getattr(config, name) <= most:
            raise ConfigError(name, getattr(config, name), f"between {least} and {most}")


def _one_of(config: Any, name: str, allowed: tuple[str, ...]) -> None:
    if getattr(config, name) not in allowed:
        raise ConfigError(name, getattr(config, name), f"one of {', '.join(allowed)}")


# They build on what stands above, so they can be read only now.
from trainer.handoff.compress_configs import (  # noqa: E402
    DistillConfig,
    PruneConfig,
    QuantizeConfig,
    ShareConfig,
)
from trainer.handoff.evaluate_configs import EvaluateConfig as EvaluateConfig  # noqa: E402
from trainer.handoff.synthetic_configs import ExpandConfig, GenerateConfig, JudgeConfig  # noqa: E402

CONFIGS |= {
    "evaluate": EvaluateConfig,
    "quantize": QuantizeConfig,
    "distill": DistillConfig,
    "prune": PruneConfig,
    "share": ShareConfig,
    "generate": GenerateConfig,
    "expand": ExpandConfig,
    "judge": JudgeConfig,
}
