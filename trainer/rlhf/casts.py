"""Who takes part in a run, on models without weights: to count what the real ones will hold."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification

from trainer.handoff.configs import PPOConfig, TrainingConfig
from trainer.handoff.rundir import RunSpec
from trainer.rlhf.blanks import META, blank_backbone
from trainer.rlhf.loading import weights_dtype
from trainer.rlhf.modeling import FULL, Backbone, Role, ScalarHead
from trainer.rlhf.reward_models import REPORT


@dataclass(frozen=True)
class Cast:
    """Who takes part: all of them without weights."""

    backbones: dict[str, Backbone]
    """By what they are there for; the first one speaks for the role that is trained."""
    learned: dict[str, nn.Parameter]
    heads: dict[str, ScalarHead]


def ppo_cast(config: PPOConfig, spec: RunSpec) -> tuple[Cast, Role, Role]:
    """Also who speaks as the policy, and who as the critic."""
    backbone = blank_training_backbone(config, spec.base_model)
    backbones = {"policy": backbone}
    policy = Role(backbone, "policy" if config.lora_rank else None)
    backbone.add_role(policy.name or FULL, config.seed)
    if not config.lora_rank:
        backbones["reference"] = blank_training_backbone(config, spec.base_model)
    heads = {
        name: ScalarHead(backbone.hidden_size, spread=0, seed=0, bias=name == "value").to(META)
        for name in ("value", "reward")
    }
    heads["reward"].requires_grad_(False)
    home = backbone
    if speaks_through(config, spec):
        backbone.add_role("reward", 0)
        for parameter in backbone.role_parameters("reward"):
            parameter.requires_grad_(False)
    elif spec.reward_model:
        home = backbones["reward model"] = _blank_reward_model(config, spec)
    learned = {f"policy.{name}": p for name, p in backbone.learned_by(policy.name or FULL).items()}
    critic = policy
    if config.critic == "reward":
        if not config.lora_rank:
            home = backbones["critic"] = _blank_reward_model(config, spec)
        critic = Role(home, "critic" if config.lora_rank else None)
        home.add_role(critic.name or FULL, config.seed)
        learned |= {f"critic.{name}": p for name, p in home.learned_by(critic.name or FULL).items()}
    learned |= {f"value.{name}": p for name, p in heads["value"].named_parameters()}
    return Cast(backbones, learned, heads), policy, critic


def speaks_through(config: PPOConfig, spec: RunSpec) -> bool:
    """Whether the reward model is one more role on the policy's backbone."""
    if not (config.lora_rank and spec.reward_model):
        return False
    try:
        about = json.loads((Path(spec.reward_model) / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    wanted = {
        "lora_rank": config.lora_rank,
        "lora_layers": config.lora_layers,
        "base_digest": spec.base_digest,
    }
    return all(about.get(name) == value for name, value in wanted.items())


def spread_layers(backbone: Backbone) -> set[int]:
    """Let the layers of a model without weights behave as spread ones do: a gradient goes as soon as it is
    there, and nothing is kept of the trunk. Returns their parameters' identities."""
    backbone.trunk_part = backbone.top_part = None
    parameters = list(backbone.layers.parameters()) if backbone.layers is not None else []
    for parameter in parameters:
        if parameter.requires_grad:
            parameter.register_post_accumulate_grad_hook(_let_gradient_go)  # type: ignore[no-untyped-call]
    return set(map(id, parameters))


def blank_training_backbone(config: TrainingConfig, base_model: str, **options: Any) -> Backbone:
    backbone = blank_backbone(
        base_model,
        weights_dtype(config),
        lora_rank=config.lora_rank,
        lora_layers=config.lora_layers,
        **options,
    )
    if config.gradient_checkpointing:
        backbone.recompute_layers()
    return backbone


def _blank_reward_model(config: PPOConfig, spec: RunSpec) -> Backbone:
    model = spec.reward_model or spec.base_model
    return blank_training_backbone(config, model, kind=AutoModelForSequenceClassification)


def _let_gradient_go(parameter: Tensor) -> None:
    parameter.grad = None
