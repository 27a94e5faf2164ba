"""What each stage can be told. A config is frozen, checked once, and saved whole into the run directory."""

import ast
import dataclasses
import inspect
import math
import textwrap
from collections.abc import Mapping
from typing import Any, get_type_hints

from trainer.handoff.configs.answers import EvaluateConfig, SampleConfig
from trainer.handoff.configs.base import ConfigError, LabConfig
from trainer.handoff.configs.compress import DistillConfig, PruneConfig, QuantizeConfig, ShareConfig
from trainer.handoff.configs.synthetic import ExpandConfig, GenerateConfig, JudgeConfig
from trainer.handoff.configs.training import (
    DPOConfig,
    KTOConfig,
    PPOConfig,
    RewardConfig,
    SFTConfig,
    TrainingConfig,
)

__all__ = [
    "CONFIGS",
    "Config",
    "ConfigError",
    "DPOConfig",
    "EvaluateConfig",
    "KTOConfig",
    "LabConfig",
    "PPOConfig",
    "RewardConfig",
    "SFTConfig",
    "SampleConfig",
    "TrainingConfig",
    "build_config",
    "explain",
]

Config = SFTConfig | RewardConfig | PPOConfig | DPOConfig | KTOConfig | SampleConfig
"""Of the stages whose memory is planned."""

CONFIGS: dict[str, type[LabConfig]] = {
    "sft": SFTConfig,
    "reward": RewardConfig,
    "ppo": PPOConfig,
    "dpo": DPOConfig,
    "kto": KTOConfig,
    "sample": SampleConfig,
    "evaluate": EvaluateConfig,
    "quantize": QuantizeConfig,
    "distill": DistillConfig,
    "prune": PruneConfig,
    "share": ShareConfig,
    "generate": GenerateConfig,
    "expand": ExpandConfig,
    "judge": JudgeConfig,
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
