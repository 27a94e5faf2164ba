"""What the kinds of compression find in their demonstrations, and in which portions models will see it."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from trainer.handoff.configs.compress import CompressConfig, DistillConfig, QuantizeConfig, RecoveryConfig
from trainer.handoff.rundir import RunDirectory
from trainer.rlhf.batches import TokenSequence, length_buckets
from trainer.rlhf.blanks import PassShape
from trainer.rlhf.compress.teachers import prompts_in
from trainer.rlhf.readings import Reading, portions, shape_of
from trainer.rlhf.sft import demonstrations_in


def read_compression(
    config: CompressConfig, directory: RunDirectory, tokenizer: Any, processes: int
) -> Reading:
    """:raises LabError: there is nothing to learn from, as the stage itself would say."""
    file = directory.data_path("demonstrations.parquet")
    limits = config.max_prompt_tokens, config.max_completion_tokens
    train, held_out, left_out = demonstrations_in(file, tokenizer, *limits)
    judged = sorted(held_out, key=lambda sequence: len(sequence.ids))
    reading = Reading(
        learned=len(train),
        held_out=len(held_out),
        left_out=left_out,
        steps=0,
        tokens=0,
        longest=max(len(sequence.ids) for sequence in [*train, *held_out]),
        judging=[shape_of(part) for part in portions([judged], config.batch_size, 1)],
        longest_prompt=max(sequence.learned[0] for sequence in [*train, *held_out]),
    )
    if isinstance(config, QuantizeConfig):
        return _to_calibrate(reading, train[: config.calibration if config.scheme == "int4" else 0])
    assert isinstance(config, RecoveryConfig)
    if isinstance(config, DistillConfig) and config.learn_from != "logits":
        return _to_be_answered(reading, config, directory, tokenizer, processes)
    return _to_learn(reading, config, train, processes)


def _to_calibrate(reading: Reading, sequences: Sequence[TokenSequence]) -> Reading:
    """One at a time."""
    tokens = sum(len(sequence.ids) for sequence in sequences)
    shapes = [shape_of([sequence]) for sequence in sequences]
    return replace(reading, learned=len(sequences), tokens=tokens, learning=shapes)


def _to_learn(
    reading: Reading, config: RecoveryConfig, train: Sequence[TokenSequence], processes: int
) -> Reading:
    lengths = [len(sequence.ids) for sequence in train]
    buckets = length_buckets(train, lengths, config.batch_size, random.Random(config.seed))
    shapes = [shape_of(part) for part in portions(buckets, 0, processes)]
    return replace(reading, steps=config.epochs * len(buckets), tokens=sum(lengths), learning=shapes)


def _to_be_answered(
    reading: Reading, config: DistillConfig, directory: RunDirectory, tokenizer: Any, processes: int
) -> Reading:
    """As if every answer were cut, and the longest prompts came together."""
    prompts = [len(prompt) for _row, prompt in prompts_in(config, directory, tokenizer)]
    rows, answer = -(-config.batch_size // processes), config.max_completion_tokens
    return replace(
        reading,
        learned=len(prompts),
        steps=config.epochs * -(-len(prompts) // config.batch_size),
        tokens=sum(prompts) + len(prompts) * answer,
        longest=max(prompts) + answer,
        learning=[PassShape(rows, max(prompts) + answer, rows * answer)],
        longest_prompt=max(prompts),
    )
