"""What distilling, pruning and sharing have in common: a changed copy of the original learns, and is kept."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from trainer.handoff.configs.compress import RecoveryConfig
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.batches import TokenSequence
from trainer.rlhf.compress.artifact import Recipe, save_artifact
from trainer.rlhf.compress.recover import recover
from trainer.rlhf.compress.report import compare, speaker
from trainer.rlhf.errors import LabError
from trainer.rlhf.loading import load_model, load_tokenizer, save_model
from trainer.rlhf.modeling import Role
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.sft import demonstrations_in
from trainer.rlhf.world import World

Change = Callable[[Any, Role, Sequence[TokenSequence]], dict[str, Tensor]]
"""Changes a model, knowing the original and what there is to learn. Returns masks for ``recover``."""


def made_by_training(
    config: RecoveryConfig,
    spec: RunSpec,
    directory: RunDirectory,
    report: Reporter,
    world: World,
    change: Change,
    *,
    sequences_of: Callable[[Role, Any], Sequence[TokenSequence]] | None = None,
    places: Sequence[int] = (),
) -> dict[str, object]:
    """Change a copy, train it, keep it and measure it. ``sequences_of`` makes what it learns, where that is
    not the demonstrations; ``places`` as in ``Recipe``."""
    check_plain(spec.base_model)
    tokenizer = load_tokenizer(spec.base_model)
    file = directory.data_path("demonstrations.parquet")
    train, _held, left_out = demonstrations_in(
        file, tokenizer, config.max_prompt_tokens, config.max_completion_tokens
    )
    teacher = speaker(spec.base_model, config)
    model = load_model(spec.base_model, torch.float32)
    zeros = change(model, teacher, train)
    learned = sequences_of(teacher, tokenizer) if sequences_of and config.epochs else train
    figures = recover(model, teacher, learned, config, directory, report, world, zeros=zeros)
    if not world.is_first:
        return {}
    with directory.publish_result() as folder:
        # As it was stored: what is smaller should not look larger for being more exact.
        model = model.to(teacher.backbone.model.dtype)
        if places:
            save_artifact(model, tokenizer, folder, Recipe(places=list(places)))
        else:
            save_model(model, tokenizer, folder)
        figures |= {"demonstrations": len(learned)} | ({"left_out": left_out} if left_out else {})
        return {**figures, **compare(config, spec, directory, folder, report)}


def check_plain(base_model: str) -> None:
    """:raises LabError: its weights are no plain ones."""
    if Recipe.of(base_model):
        raise LabError(
            "This checkpoint is quantized or shares its layers, and cannot be trained any more. Choose the "
            "one that it was made from; quantize last of all."
        )


def plain_decoder(model: Any) -> Any:
    """:raises LabError: its layers are not built as those of a Llama."""
    decoder = model.base_model
    layer = decoder.layers[0] if isinstance(getattr(decoder, "layers", None), nn.ModuleList) else None
    if not (hasattr(layer, "self_attn") and hasattr(layer, "mlp")):
        raise LabError(
            f"The layers of a {model.config.model_type} model are not known here: only models that are built "
            "as a Llama is can be cut."
        )
    return decoder


def keep_layers(model: Any, kept: Sequence[int]) -> None:
    """Take the others out."""
    decoder = plain_decoder(model)
    decoder.layers = nn.ModuleList(decoder.layers[place] for place in kept)
    for place, layer in enumerate(decoder.layers):
        layer.self_attn.layer_idx = place
    model.config.num_hidden_layers = len(kept)
    if getattr(model.config, "layer_types", None):
        model.config.layer_types = [model.config.layer_types[place] for place in kept]


def evenly(count: int, chosen: int) -> list[int]:
    """``chosen`` of ``count`` places, evenly spaced, the first and the last among them where two fit."""
    if chosen == 1:
        return [0]
    return [round(step * (count - 1) / (chosen - 1)) for step in range(chosen)]
