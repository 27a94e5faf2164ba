"""A student with fewer layers that learns to say what the teacher says."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from trainer.handoff.configs.compress import DistillConfig
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.batches import TokenSequence
from trainer.rlhf.compress.students import evenly, keep_layers, made_by_training, plain_decoder
from trainer.rlhf.compress.teachers import asked_for, own_answers
from trainer.rlhf.errors import LabError
from trainer.rlhf.modeling import Role
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.world import World


def distill_checkpoint(
    config: DistillConfig, spec: RunSpec, directory: RunDirectory, report: Reporter, world: World
) -> dict[str, object]:
    def shrink(model: Any, teacher: Role, sequences: Sequence[TokenSequence]) -> dict[str, Tensor]:
        take_layers(model, config.layers)
        return {}

    def taught(teacher: Role, tokenizer: Any) -> list[TokenSequence]:
        if config.learn_from == "answers" and not config.teacher:
            return own_answers(config, directory, report, teacher, tokenizer)
        return asked_for(config, spec, directory, report, tokenizer, world)

    if config.teacher:  # the original was not asked, so its opinion of the answers says nothing
        config = replace(config, teacher_weight=0.0)
    sequences = None if config.learn_from == "logits" else taught
    return made_by_training(config, spec, directory, report, world, shrink, sequences_of=sequences)


def take_layers(model: Any, layers: int) -> None:
    """Let evenly spaced layers stay; 0: half of them.

    :raises LabError: there are not so many.
    """
    count = len(plain_decoder(model).layers)
    keep_layers(model, evenly(count, kept_layers(count, layers)))


def kept_layers(count: int, layers: int) -> int:
    """``layers`` of ``count``; 0: half of them.

    :raises LabError: there are not so many.
    """
    chosen = layers or max(1, count // 2)
    if chosen > count:
        raise LabError(f"layers is {chosen}, but the teacher has only {count}.")
    return chosen
