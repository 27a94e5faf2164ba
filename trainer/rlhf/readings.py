"""What each stage finds in its data, and in which portions the models will see it."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from trainer.handoff.configs import (
    Config,
    DPOConfig,
    KTOConfig,
    PPOConfig,
    RewardConfig,
    SampleConfig,
    SFTConfig,
)
from trainer.handoff.rundir import RunDirectory
from trainer.rlhf.batches import TokenSequence, cheapest_rows, length_buckets
from trainer.rlhf.blanks import PassShape, Traits
from trainer.rlhf.kto import beside_strangers, buckets_of, opinions_in
from trainer.rlhf.ppo import demonstrations_to_mix, train_prompts
from trainer.rlhf.rankings import RankedAnswers, rankings_in
from trainer.rlhf.sample import prompts_to_answer
from trainer.rlhf.sft import demonstrations_in

Item = TypeVar("Item")


@dataclass(frozen=True)
class Reading:
    learned: int
    """Rows that are learned from, or answered."""
    held_out: int
    left_out: int
    steps: int
    tokens: int
    """Of the learned rows, all of them once."""
    longest: int
    """Tokens of the longest row that goes through a model."""
    learning: list[PassShape] = field(default_factory=list)
    """What goes through the model for gradients, in each process."""
    mixed_in: list[PassShape] = field(default_factory=list)
    """The largest portion of other texts that are learned in between."""
    judging: list[PassShape] = field(default_factory=list)
    """What goes through the model without."""
    longest_prompt: int = 0


def read(config: Config, directory: RunDirectory, tokenizer: Any, traits: Traits, processes: int) -> Reading:
    """:raises LabError: there is nothing to learn from, as the stage itself would say."""
    if isinstance(config, SFTConfig):
        return _demonstrations(config, directory, tokenizer, processes)
    if isinstance(config, RewardConfig | DPOConfig):
        return _rankings(config, directory, tokenizer, traits, processes)
    if isinstance(config, KTOConfig):
        return _opinions(config, directory, tokenizer, processes)
    if isinstance(config, PPOConfig):
        return _rollouts(config, directory, tokenizer, processes)
    return _candidates(config, directory, tokenizer)


def _demonstrations(config: SFTConfig, directory: RunDirectory, tokenizer: Any, processes: int) -> Reading:
    file = directory.data_path("demonstrations.parquet")
    train, held_out, left_out = demonstrations_in(
        file, tokenizer, config.max_prompt_tokens, config.max_completion_tokens
    )
    lengths = [len(sequence.ids) for sequence in train]
    buckets = length_buckets(train, lengths, config.batch_size, random.Random(config.seed))
    longest_last = sorted(held_out, key=lambda sequence: len(sequence.ids))
    return Reading(
        learned=len(train),
        held_out=len(held_out),
        left_out=left_out,
        steps=config.epochs * len(buckets),
        tokens=sum(lengths),
        longest=max(len(sequence.ids) for sequence in [*train, *held_out]),
        learning=[shape_of(part) for part in portions(buckets, config.rows_per_pass, processes)],
        judging=[shape_of(part) for part in portions([longest_last], config.batch_size, processes)],
    )


def _rankings(
    config: RewardConfig | DPOConfig, directory: RunDirectory, tokenizer: Any, traits: Traits, processes: int
) -> Reading:
    train, held_out, left_out = rankings_in(directory.data_path("rankings.parquet"), tokenizer, config)
    widths = [ranking.family.width for ranking in train]
    buckets = length_buckets(train, widths, config.batch_size, random.Random(config.seed))
    by_width = [sorted(rows, key=lambda ranking: ranking.family.width) for rows in (train, held_out)]
    learning = [_families(part, traits) for part in portions(buckets, config.rows_per_pass, processes)]
    judging = [_families(part, traits) for part in portions(by_width, config.batch_size, processes)]
    return Reading(
        learned=len(train),
        held_out=len(held_out),
        left_out=left_out,
        steps=config.epochs * len(buckets),
        tokens=sum(widths),
        longest=max(shape.longest for shape in [*learning, *judging]),
        learning=learning,
        judging=judging,
    )


def _opinions(config: KTOConfig, directory: RunDirectory, tokenizer: Any, processes: int) -> Reading:
    train, held_out, left_out = opinions_in(directory.data_path("feedback.parquet"), tokenizer, config)
    buckets = list(buckets_of(train, config))
    learning = [
        shape
        for part in portions(buckets, config.rows_per_pass, processes)
        for shape in (shape_of([asked.own for asked in part]), shape_of([asked.other for asked in part]))
    ]
    judged = portions([beside_strangers(held_out)], config.batch_size, processes)
    judging = [shape_of([asked.own for asked in part]) for part in judged]
    return Reading(
        learned=len(train),
        held_out=len(held_out),
        left_out=left_out,
        steps=config.epochs * len(buckets),
        tokens=sum(opinion.width for opinion in train),
        longest=max(shape.longest for shape in [*learning, *judging]),
        learning=learning,
        judging=judging,
    )


def _rollouts(config: PPOConfig, directory: RunDirectory, tokenizer: Any, processes: int) -> Reading:
    """As if the longest prompts came together and every completion were cut."""
    prompts, left_out = train_prompts(config, directory, tokenizer)
    texts = demonstrations_to_mix(config, directory, tokenizer)
    texts = sorted(texts, key=lambda sequence: len(sequence.ids))[-config.minibatch_size :]
    longest_prompt = max(map(len, prompts.values()))
    rows = min(config.rows_per_pass, config.minibatch_size)
    longest = longest_prompt + config.max_new_tokens + 1
    return Reading(
        learned=len(prompts),
        held_out=0,
        left_out=left_out,
        steps=config.iterations * config.epochs * (config.rollout_size // config.minibatch_size),
        tokens=sum(map(len, prompts.values())),
        longest=longest,
        learning=[PassShape(rows, longest, rows * config.max_new_tokens)],
        mixed_in=[shape_of(part) for part in portions([texts], config.rows_per_pass, processes)],
        longest_prompt=longest_prompt,
    )


def _candidates(config: SampleConfig, directory: RunDirectory, tokenizer: Any) -> Reading:
    prompts, left_out = prompts_to_answer(config, directory, tokenizer)
    longest_prompt = max(len(ids) for _key, ids in prompts)
    return Reading(
        learned=len(prompts),
        held_out=0,
        left_out=left_out,
        steps=-(-len(prompts) // config.prompts_at_once),
        tokens=sum(len(ids) for _key, ids in prompts),
        longest=longest_prompt + config.max_new_tokens,
        longest_prompt=longest_prompt,
    )


def portions(buckets: Iterable[Sequence[Item]], rows: int, processes: int) -> Iterator[list[Item]]:
    """What the first process, whose share is never the smaller, sees at once."""
    for bucket in buckets:
        mine = list(bucket[::processes])
        for start in range(0, len(mine), rows or len(mine)):
            yield mine[start : start + (rows or len(mine))]


def shape_of(sequences: Sequence[TokenSequence]) -> PassShape:
    return PassShape(
        rows=len(sequences),
        longest=max(len(sequence.ids) for sequence in sequences),
        learned=sum(len(sequence.learned) for sequence in sequences),
    )


def _families(rankings: Sequence[RankedAnswers], traits: Traits) -> PassShape:
    """In as many rows as ``Backbone.pad`` gives them."""
    families = [ranking.family for ranking in rankings]
    sequences = [sequence for family in families for sequence in family.sequences()]
    rows = cheapest_rows(families, traits.hidden_size) if traits.shares_prefix else []
    if not any(len(row.completions) > 1 for row in rows):
        return shape_of(sequences)
    learned = sum(len(sequence.learned) for sequence in sequences)
    return PassShape(len(rows), max(row.width for row in rows), learned, shared=True)
