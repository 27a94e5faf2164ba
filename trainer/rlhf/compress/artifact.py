"""Checkpoints that a plain Hugging Face folder cannot hold: codes for weights, and layers that are stored
once and stand in several places. Tensors are in safetensors; a recipe says how to put them together.
"""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.initialization import no_init_weights

from trainer.rlhf.compress.codes import Codes
from trainer.rlhf.compress.kernels import CodedEmbedding, linear_of

WEIGHTS, RECIPE = "coded.safetensors", "recipe.json"
"""Not ``model.safetensors``: transformers would take what it finds there, and make up what it misses."""
CODES, SCALE = ".codes", ".scale"


@dataclass(frozen=True)
class Recipe:
    """How the tensors of a folder become a model."""

    scheme: str = ""
    """int4, int8 or int8_dynamic; empty where weights are plain."""
    places: list[int] = field(default_factory=list)
    """Which stored layer stands in each place; empty where each stands in its own."""

    @classmethod
    def of(cls, folder: str | Path) -> "Recipe | None":
        """None for any other model."""
        with suppress(OSError):
            return cls(**json.loads((Path(folder) / RECIPE).read_text(encoding="utf-8")))
        return None


def save_artifact(
    model: Any, tokenizer: Any, folder: Path, recipe: Recipe, coded: dict[str, Codes] | None = None
) -> None:
    """``coded`` has codes for weights by their module's name; the others are kept as they are."""
    coded = coded or {}
    tensors: dict[str, Tensor] = {}
    for name, codes in coded.items():
        tensors[name + CODES], tensors[name + SCALE] = codes.codes, codes.scale
    # Without duplicates: what stands in several places is stored where it stands first.
    for name, tensor in [*model.named_parameters(), *_lasting_buffers(model)]:
        if name.removesuffix(".weight") not in coded:
            tensors[name] = tensor.detach()
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / WEIGHTS)
    model.config.save_pretrained(folder)
    (folder / RECIPE).write_text(json.dumps(asdict(recipe)), encoding="utf-8")
    if model.generation_config is not None:
        model.generation_config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def load_artifact(folder: str | Path, recipe: Recipe, dtype: torch.dtype, device: torch.device) -> Any:
    """On a processor the layers multiply with codes; elsewhere the weights are what the codes stand for.

    :raises OSError, KeyError: a file or a tensor is missing.
    """
    config = AutoConfig.from_pretrained(folder)
    with no_init_weights():
        model = AutoModelForCausalLM.from_config(config, dtype=dtype)  # type: ignore[no-untyped-call]
    model.tie_weights()
    share_layers(model, recipe.places)
    tensors = load_file(Path(folder) / WEIGHTS)
    names = [name.removesuffix(CODES) for name in tensors if name.endswith(CODES)]
    coded = {name: Codes(tensors.pop(name + CODES), tensors.pop(name + SCALE)) for name in names}
    on_cpu = device.type == "cpu"
    if not on_cpu:
        tensors |= {f"{name}.weight": codes.weights(dtype) for name, codes in coded.items()}
    _fill(model, tensors, left={f"{name}.weight" for name in coded} if on_cpu else set())
    if on_cpu:
        put_codes(model, coded, dtype, dynamic=recipe.scheme == "int8_dynamic")
    return model.to(device).eval()


def put_codes(model: Any, coded: dict[str, Codes], dtype: torch.dtype, *, dynamic: bool) -> None:
    """Let layers that multiply with codes stand wherever the plain ones' weights do."""
    weights = {name: model.get_submodule(name).weight for name in coded}  # held, or their ids were used again
    by_weight = {id(weight): coded[name] for name, weight in weights.items()}
    made: dict[tuple[int, type], nn.Module] = {}
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            key = id(getattr(child, "weight", None)), type(child)
            if (codes := by_weight.get(key[0])) is None:
                continue
            if key not in made:
                made[key] = (
                    CodedEmbedding(codes, dtype)
                    if isinstance(child, nn.Embedding)
                    else linear_of(codes, child.bias, dynamic=dynamic)
                )
            setattr(parent, name, made[key])


def share_layers(model: Any, places: list[int]) -> None:
    """Let layer ``places[i]`` stand in place i too. A cache still knows the places apart."""
    if not places:
        return
    layers = model.base_model.layers
    for place, source in enumerate(places):
        if place != source:
            for own, shared in zip(layers[place].modules(), layers[source].modules(), strict=True):
                own._parameters.update(shared._parameters)


@torch.no_grad()
def _fill(model: nn.Module, tensors: dict[str, Tensor], left: set[str]) -> None:
    """All but those that are ``left``.

    :raises KeyError: the file lacks a tensor.
    """
    for name, tensor in [*model.named_parameters(), *_lasting_buffers(model)]:
        if name not in left:
            tensor.copy_(tensors[name])


def _lasting_buffers(model: nn.Module) -> list[tuple[str, Tensor]]:
    lasting = model.state_dict(keep_vars=True)
    return [(name, buffer) for name, buffer in model.named_buffers() if name in lasting]
