"""What compressing will hold, counted on models without weights before the real ones are loaded."""

import copy
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from trainer.handoff.configs.compress import (
    CompressConfig,
    DistillConfig,
    PruneConfig,
    QuantizeConfig,
    RecoveryConfig,
    ShareConfig,
)
from trainer.handoff.rundir import RunSpec
from trainer.rlhf.amounts import (
    CHANGING,
    LEARNING,
    MEASURING,
    ROUNDING,
    SAMPLING,
    byte_count,
    judges,
    passes,
    sampled,
    training,
    weights,
)
from trainer.rlhf.blanks import PassShape, blank_backbone
from trainer.rlhf.casts import Cast
from trainer.rlhf.compress.artifact import share_layers
from trainer.rlhf.compress.codes import Codes, encode
from trainer.rlhf.compress.distill import kept_layers
from trainer.rlhf.compress.gptq import input_moments
from trainer.rlhf.compress.prune import CALIBRATION, kept_of
from trainer.rlhf.compress.quantize import encode_model, placed_linears, places_of
from trainer.rlhf.compress.recover import Lesson
from trainer.rlhf.compress.share import shared_places
from trainer.rlhf.compress.students import check_plain
from trainer.rlhf.loading import load_config, pick_dtype
from trainer.rlhf.memory import Need
from trainer.rlhf.meter import most_bytes
from trainer.rlhf.modeling import FULL, Backbone, Role, learned_states
from trainer.rlhf.readings import Reading
from trainer.rlhf.rewards import whole_reward


def compression_needs(config: CompressConfig, spec: RunSpec, reading: Reading) -> list[Need]:
    """:raises LabError: the checkpoint cannot be compressed like this."""
    original = blank_backbone(spec.base_model, pick_dtype(config), lora_rank=0, lora_layers=0)
    if isinstance(config, QuantizeConfig):
        share_layers(original.model, places_of(spec.base_model))
        made, more = rounding(config, original, reading)
    else:
        assert isinstance(config, RecoveryConfig)
        check_plain(spec.base_model)
        made, more = recovering(config, spec, original, reading)
    found = weights(Cast({"original": original}, {}, {}))
    return [*found, *more, *measuring(config, spec, original, made, reading)]


def recovering(
    config: RecoveryConfig, spec: RunSpec, original: Backbone, reading: Reading
) -> tuple[int, list[Need]]:
    """Bytes of the weights that come out, and what it takes to train them."""
    student = blank_student(config, spec, torch.float32)
    learned = student.learned_by(FULL)
    size = byte_count(learned.values())
    whole = blank_backbone(spec.base_model, torch.float32, lora_rank=0, lora_layers=0)
    found = [Need("copy to change", byte_count(whole.parameters()), CHANGING)]
    if isinstance(config, PruneConfig) and config.what == "layers":
        shapes = [PassShape(1, shape.longest, 1) for shape in reading.learning[:CALIBRATION]]
        found += passes(CHANGING, partial(_read, original), shapes, {}, learns=False)
    if isinstance(config, DistillConfig) and config.learn_from != "logits":
        found += answering(config, original, size, reading)
    if config.epochs:
        found += learning(config, original, student, reading)
    if isinstance(config, PruneConfig) and config.what in ("magnitude", "2:4"):
        found.append(Need("masks", byte_count(one.weight for one in _linears(student.model))))
    return size * pick_dtype(config).itemsize // torch.float32.itemsize, found


def learning(config: RecoveryConfig, original: Backbone, student: Backbone, reading: Reading) -> list[Need]:
    learned, lesson = student.learned_by(FULL), Lesson(Role(student, FULL), Role(original, None), config)
    found = [Need("learned weights", byte_count(learned.values()), LEARNING, numbers={"of": "student"})]
    found += [need for need in training(learned) if not need.during]
    taught = passes(LEARNING, partial(_lose, lesson), reading.learning, learned, learns=True)
    return [replace(need, during=LEARNING) for need in found] + taught


def answering(config: DistillConfig, original: Backbone, student: int, reading: Reading) -> list[Need]:
    """What the original says, or is asked for its thoughts as another copy; a model server takes nothing."""
    waits = Need("learned weights", student, SAMPLING, numbers={"of": "student"})
    if config.teacher:
        return [waits]
    rows = min(config.batch_size, reading.learned)
    said = sampled(Role(original, None), rows, 1, reading, config.max_completion_tokens)
    again = [Need("original again", byte_count(original.parameters()), SAMPLING)]
    return [waits, said, *(again if config.learn_from == "thoughts" else [])]


def rounding(config: QuantizeConfig, original: Backbone, reading: Reading) -> tuple[int, list[Need]]:
    """Bytes of the codes that come out, and what it takes to find them."""
    coded = encode_model(original.model, config.scheme, config.group_size, config.embeddings)
    codes = _size_of_codes(coded.values())
    in_codes = byte_count(original.model.get_submodule(name).weight for name in coded)
    plain = byte_count(original.parameters()) - in_codes
    found = [Need("codes", codes)]
    most = max((_rounds(original, name, one) for name, one in coded.items()), default=0)
    if not reading.learning:
        return codes + plain, [*found, Need("one matrix", most, ROUNDING)]
    placed = placed_linears(original.model, config.group_size)
    matrices = {name: linear.weight for name, linear in reversed(placed)}
    moments = sum(4 * weight.shape[1] ** 2 for weight in matrices.values())
    longest = max(reading.learning, key=lambda shape: shape.longest)
    reads = most_bytes(lambda: input_moments(Role(original, None), placed, [longest.batch()]))
    work = max([reads - moments, *map(_with_care, matrices.values())])
    room = round(config.exact_share * sum(weight.numel() for weight in matrices.values()))
    careful = _size_of_codes(coded[name] for name in matrices) + room
    return codes + plain + room // 2, [
        *found,
        Need("input moments", moments, ROUNDING),
        Need("careful codes", careful, ROUNDING),
        Need("one matrix", max(work, most), ROUNDING),
    ]


def measuring(
    config: CompressConfig, spec: RunSpec, original: Backbone, made: int, reading: Reading
) -> list[Need]:
    """Both are loaded once more, side by side; and a fresh process loads one after the other."""
    size = byte_count(original.parameters())
    coded = size if isinstance(config, QuantizeConfig) else 0  # read into a model of the original's size
    found = [
        Need("original again", size),
        Need("result", made + coded),
        Need("fresh process", max(size, made + coded)),
    ]
    if not isinstance(config, QuantizeConfig):
        found.append(Need("learned weights", made, numbers={"of": "student"}))
    found += passes("", partial(_predict, original), reading.judging, {}, learns=False)
    found += judges(whole_reward(spec), pick_dtype(config))
    return [replace(need, during=MEASURING) for need in found]


def blank_student(config: RecoveryConfig, spec: RunSpec, dtype: torch.dtype) -> Backbone:
    """As it will be trained: the original with what is taken out gone."""
    told = copy.deepcopy(load_config(spec.base_model))
    match config:
        case DistillConfig():
            told.num_hidden_layers = kept_layers(told.num_hidden_layers, config.layers)
        case PruneConfig(what="layers"):
            told.num_hidden_layers = kept_of(told.num_hidden_layers, config.fraction)
        case PruneConfig(what="mlp"):
            told.intermediate_size = kept_of(told.intermediate_size, config.fraction)
        case PruneConfig(what="heads"):
            _fewer_heads(told, config.fraction)
    if getattr(told, "layer_types", None):
        told.layer_types = told.layer_types[: told.num_hidden_layers]
    student = blank_backbone(spec.base_model, dtype, lora_rank=0, lora_layers=0, told=told)
    if isinstance(config, ShareConfig):
        share_layers(student.model, shared_places(told.num_hidden_layers, config.group))
    student.add_role(FULL, config.seed)
    return student


def _fewer_heads(told: Any, fraction: float) -> None:
    readers = told.num_attention_heads // told.num_key_value_heads
    told.head_dim = getattr(told, "head_dim", None) or told.hidden_size // told.num_attention_heads
    told.num_key_value_heads = kept_of(told.num_key_value_heads, fraction)
    told.num_attention_heads = told.num_key_value_heads * readers


def _lose(lesson: Lesson, shape: PassShape) -> Tensor:
    batch = shape.batch()

    def speak(role: Role) -> Tensor:
        return _logits(role.backbone, role.name, shape)

    return lesson.lost(batch.tokens.flatten()[: shape.learned].clone(), speak)


def _read(original: Backbone, shape: PassShape) -> Tensor:
    return original.hidden(None, shape.batch())


def _predict(original: Backbone, shape: PassShape) -> Tensor:
    logits = _logits(original, None, shape)
    tokens = torch.zeros_like(logits[:, 0], dtype=torch.long)
    return torch.nn.functional.cross_entropy(logits, tokens, reduction="sum")


def _logits(backbone: Backbone, role: str | None, shape: PassShape) -> Tensor:
    batch = shape.batch()
    states = learned_states(backbone.hidden(role, batch), batch)
    return backbone.logits(states.flatten(0, 1)[: shape.learned].clone())


def _rounds(original: Backbone, name: str, codes: Codes) -> int:
    weight = original.model.get_submodule(name).weight
    return most_bytes(partial(encode, weight, bits=codes.bits, group=codes.group))


def _with_care(weight: Tensor) -> int:
    """Rounding one matrix with its moments: at first they are inverted, at last their losses are told."""
    width, matrix = 4 * weight.shape[1] ** 2, 4 * weight.numel()
    again = 0 if weight.dtype == torch.float32 else matrix
    return max(matrix + 4 * width, 2 * matrix + width + weight.numel(), 3 * matrix) + again


def _size_of_codes(codes: Iterable[Codes]) -> int:
    return byte_count(part for one in codes for part in (one.codes, one.scale))


def _linears(model: Any) -> list[nn.Linear]:
    head = model.get_output_embeddings()
    return [one for one in model.modules() if isinstance(one, nn.Linear) and one is not head]
