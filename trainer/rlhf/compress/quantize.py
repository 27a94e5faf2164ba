"""Weights in 8 or 4 bits. For 4 bits some demonstrations tell which inputs layers get; nothing is trained."""

from typing import Any

from torch import nn

from trainer.handoff.configs.compress import QuantizeConfig
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.batches import pad
from trainer.rlhf.compress.artifact import Recipe, save_artifact
from trainer.rlhf.compress.codes import Codes, encode
from trainer.rlhf.compress.gptq import encode_with_care, input_moments, lost_share
from trainer.rlhf.compress.report import compare
from trainer.rlhf.errors import LabError
from trainer.rlhf.loading import load_model, load_tokenizer, pick_dtype
from trainer.rlhf.modeling import Backbone, Role
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.sft import demonstrations_in
from trainer.rlhf.world import World

BITS = {"int4": 4, "int8": 8, "int8_dynamic": 8}


def quantize_checkpoint(
    config: QuantizeConfig, spec: RunSpec, directory: RunDirectory, report: Reporter, world: World
) -> dict[str, object]:
    if not world.is_first:
        return {}
    places = places_of(spec.base_model)
    model = load_model(spec.base_model, pick_dtype(config))
    coded = encode_model(model, config.scheme, config.group_size, config.embeddings)
    if config.scheme == "int4" and config.calibration:
        coded |= with_care(model, config, spec, directory)
    with directory.publish_result() as folder:
        recipe = Recipe(scheme=config.scheme, places=places)
        save_artifact(model, load_tokenizer(spec.base_model), folder, recipe, coded)
        return compare(config, spec, directory, folder, report)


def places_of(base_model: str) -> list[int]:
    """Which layer stands in each place, as in ``Recipe``.

    :raises LabError: it has codes already.
    """
    recipe = Recipe.of(base_model) or Recipe()
    if recipe.scheme:
        raise LabError("This checkpoint is quantized already. Choose the one that it was made from.")
    return recipe.places


def encode_model(model: Any, scheme: str, group: int, embeddings: str) -> dict[str, Codes]:
    """Codes by the module's name, for all linear layers, and for the vocabulary's tables unless they are
    kept. What stands in several places gets codes once."""
    tables = [part.weight for part in (model.get_input_embeddings(), model.get_output_embeddings())]
    found: dict[str, Codes] = {}
    seen: list[Any] = []
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None)
        is_table = any(weight is table for table in tables)
        wanted = embeddings if is_table else scheme if isinstance(module, nn.Linear) else "keep"
        if weight is None or wanted == "keep" or any(weight is other for other in seen):
            continue
        seen.append(weight)
        found[name] = encode(weight, bits=BITS[wanted], group=group if BITS[wanted] == 4 else 0)
    return found


def with_care(model: Any, config: QuantizeConfig, spec: RunSpec, directory: RunDirectory) -> dict[str, Codes]:
    """Codes for the layers, with what their inputs are like on some demonstrations."""
    file, tokenizer = directory.data_path("demonstrations.parquet"), load_tokenizer(spec.base_model)
    train, _held_out, _left_out = demonstrations_in(
        file, tokenizer, config.max_prompt_tokens, config.max_completion_tokens
    )
    placed = placed_linears(model, config.group_size)
    role = Role(Backbone(model, lora_rank=0, lora_layers=0), None)
    read = (pad([sequence], role.backbone.device) for sequence in train[: config.calibration])
    moments = input_moments(role, placed, read)
    weights = {name: module.weight for name, module in reversed(placed)}
    coded = {
        name: encode_with_care(weight, moments[name], group=config.group_size)
        for name, weight in weights.items()
    }
    lost = {name: lost_share(weights[name], codes, moments[name]) for name, codes in coded.items()}
    room = config.exact_share * sum(weight.numel() for weight in weights.values())
    for name in sorted(lost, key=lost.__getitem__, reverse=True):
        if weights[name].numel() <= room:
            room -= weights[name].numel()
            coded[name] = encode(weights[name], bits=8)
    return coded


def placed_linears(model: Any, group: int) -> list[tuple[str, nn.Linear]]:
    """Layers whose width ``group`` divides, each by the name of the first place where its weights stand: what
    they read in every place counts."""
    names: dict[int, str] = {}
    return [
        (names.setdefault(id(module.weight), name), module)
        for name, module in model.base_model.named_modules(prefix=model.base_model_prefix)
        if isinstance(module, nn.Linear) and module.in_features % group == 0
    ]
