"""A student with fewer layers that learns to say what the teacher says."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from trainer.handoff.compress_configs import DistillConfig
from trainer.handoff.records import DemonstrationRecord, read_records
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.batches import TokenSequence, answer_sequence, prompt_ids
from trainer.rlhf.compress.students import evenly, keep_layers, made_by_training, plain_decoder
from trainer.rlhf.errors import LabError
from trainer.rlhf.modeling import Role
from trainer.rlhf.randomness import uniforms
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.sampling import sample
from trainer.rlhf.world import World


def distill_checkpoint(
    config: DistillConfig, spec: RunSpec, directory: RunDirectory, report: Reporter, world: World
) -> dict[str, object]:
    def shrink(model: Any, teacher: Role, sequences: Sequence[TokenSequence]) -> dict[str, Tensor]:
        take_layers(model, config.layers)
        return {}

    def taught(teacher: Role, tokenizer: Any) -> list[TokenSequence]:
        return teachers_answers(config, directory, report, teacher, tokenizer)

    answers = taught if config.learn_from == "answers" else None
    return made_by_training(config, spec, directory, report, world, shrink, sequences_of=answers)


def take_layers(model: Any, layers: int) -> None:
    """Let evenly spaced layers stay; 0: half of them.

    :raises LabError: there are not so many.
    """
    count = len(plain_decoder(model).layers)
    chosen = layers or max(1, count // 2)
    if chosen > count:
        raise LabError(f"layers is {chosen}, but the teacher has only {count}.")
    keep_layers(model, evenly(count, chosen))


def teachers_answers(
    config: DistillConfig, directory: RunDirectory, report: Reporter, teacher: Role, tokenizer: Any
) -> list[TokenSequence]:
    """Its own answers to the prompts of the demonstrations (Kim and Rush 2016, section 3.2). The same seed
    gives the same ones, also when a run is resumed."""
    rows = read_records(directory.data_path("demonstrations.parquet"), DemonstrationRecord)
    prompts = [prompt_ids(tokenizer, row.messages) for row in rows if row.split != "held_out"]
    prompts = [prompt for prompt in prompts if len(prompt) <= config.max_prompt_tokens]
    found = []
    for start in range(0, len(prompts), config.batch_size):
        report.check()
        part = prompts[start : start + config.batch_size]
        drawn = sample(
            teacher,
            part,
            temperature=config.answer_temperature,
            max_new_tokens=config.max_completion_tokens,
            eos=tokenizer.eos_token_id,
            luck=uniforms(len(part), config.max_completion_tokens, config.seed, "answers", start),
        )
        found += [answer_sequence(prompt, one.tokens) for prompt, one in zip(part, drawn, strict=True)]
    return found
