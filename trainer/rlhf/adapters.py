"""A role's adapters in a folder of their own, as peft reads them: beside the merged model, some hundredths of
its size."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from trainer.handoff.rundir import ADAPTERS, RunDirectory
from trainer.rlhf.loading import save_model
from trainer.rlhf.lora import SCALE, LoRALinear
from trainer.rlhf.modeling import Backbone
from trainer.rlhf.sharding import gather_layers
from trainer.rlhf.world import World

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def save_role(backbone: Backbone, role: str, tokenizer: object, folder: Path) -> None:
    """The plain model that says what ``role`` says, and its adapters, where it has some. The backbone is used
    up."""
    if backbone.lora_rank:
        save_adapters(backbone, role, folder / ADAPTERS)
    save_model(backbone.merge(role), tokenizer, folder)


def publish_role(
    backbone: Backbone, role: str, tokenizer: object, directory: RunDirectory, world: World
) -> None:
    """``save_role`` as the run's result; its layers may be spread over the processes."""
    gather_layers(backbone, world)
    if world.is_first:
        with directory.publish_result() as folder:
            save_role(backbone, role, tokenizer, folder)


def save_adapters(backbone: Backbone, role: str, folder: Path) -> None:
    """In float32, as they were trained. Whoever passes them on says which model they belong on."""
    layers = {name: layer for name, layer in backbone.model.named_modules() if isinstance(layer, LoRALinear)}
    tensors: dict[str, Tensor] = {}
    for name, layer in layers.items():
        tensors[f"base_model.model.{name}.lora_A.weight"] = _plain(layer.down[role])
        tensors[f"base_model.model.{name}.lora_B.weight"] = _plain(layer.up[role])
    folder.mkdir()
    save_file(tensors, folder / WEIGHTS, {"format": "pt"})
    (folder / CONFIG).write_text(json.dumps(_config(backbone, list(layers)), indent=2), encoding="utf-8")


def _config(backbone: Backbone, names: list[str]) -> dict[str, object]:
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": None,
        "r": backbone.lora_rank,
        "lora_alpha": SCALE * backbone.lora_rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": names,
        "inference_mode": True,
    }


@torch.no_grad()
def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().float().cpu().contiguous()
