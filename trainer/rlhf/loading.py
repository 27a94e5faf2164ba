"""Models and tokenizers from a folder or an id, on this process's device, and back into a folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from trainer.handoff.configs import LabConfig, TrainingConfig
from trainer.rlhf.batches import PLAIN_TEMPLATE
from trainer.rlhf.compress.artifact import Recipe, load_artifact
from trainer.rlhf.errors import LabError
from trainer.rlhf.modeling import Backbone


def pick_dtype(config: LabConfig) -> torch.dtype:
    """bfloat16 where the machine has arithmetic for it: elsewhere it is slower than float32."""
    if config.dtype != "auto":
        return {"bfloat16": torch.bfloat16, "float32": torch.float32}[config.dtype]
    if torch.cuda.is_available():
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text() if cpuinfo.exists() else ""
    return torch.bfloat16 if "avx512_bf16" in flags or "amx_bf16" in flags else torch.float32


def pick_device() -> torch.device:
    """The GPU of this process, else the CPU."""
    return torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")


def load_tokenizer(base_model: str) -> Any:
    tokenizer = _load(AutoTokenizer.from_pretrained, base_model)
    if tokenizer.eos_token_id is None:
        raise LabError(f"The tokenizer of {base_model} has no end-of-text token, so no answer could end.")
    if tokenizer.chat_template is None:
        tokenizer.chat_template = PLAIN_TEMPLATE
    return tokenizer


def load_config(base_model: str) -> Any:
    """What the model is like, without its weights."""
    return _load(AutoConfig.from_pretrained, base_model)


def load_model(base_model: str, dtype: torch.dtype, device: torch.device | None = None) -> Any:
    device = device or pick_device()
    if recipe := Recipe.of(base_model):
        return _load(load_artifact, base_model, recipe=recipe, dtype=dtype, device=device)
    return _load(AutoModelForCausalLM.from_pretrained, base_model, dtype=dtype).to(device)


def weights_dtype(config: TrainingConfig) -> torch.dtype:
    """Weights that are all to be trained are float32, whatever the arithmetic."""
    return pick_dtype(config) if config.lora_rank else torch.float32


def load_backbone(base_model: str, config: TrainingConfig) -> Backbone:
    """The base model with room for roles; on the CPU, if it is yet to be spread over devices.

    :raises LabError: it is compressed in a way that cannot be trained, or it cannot be loaded.
    """
    if Recipe.of(base_model):
        raise LabError(
            f"The model {base_model} is stored in codes or shares its layers: it can answer, but not learn. "
            "Train the checkpoint that it was made from, and compress the result."
        )
    device = torch.device("cpu") if config.shard else None
    model, compute = load_model(base_model, weights_dtype(config), device), pick_dtype(config)
    backbone = Backbone(model, lora_rank=config.lora_rank, lora_layers=config.lora_layers, compute=compute)
    if config.gradient_checkpointing:
        backbone.recompute_layers()
    return backbone


def save_model(model: Any, tokenizer: Any, folder: Path) -> None:
    """A plain Hugging Face folder."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _load(loader: Callable[..., Any], base_model: str, **options: Any) -> Any:
    try:
        return loader(base_model, **options)
    except (OSError, ValueError, KeyError) as error:
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise LabError(
            f"The model {base_model} could not be loaded: {first_line} "
            "Name a folder with a Hugging Face model in it, or an id that this machine can reach."
        ) from error
