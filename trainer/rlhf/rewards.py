"""A reward is whatever scores completions: ``score(prompts, completions) -> scores``."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from trainer.handoff.records import Message
from trainer.handoff.rewards import RewardSource
from trainer.handoff.rundir import RunSpec
from trainer.rlhf.batches import answer_sequence, completion_ids, pad, prompt_ids, rows_by_length
from trainer.rlhf.loading import load_tokenizer
from trainer.rlhf.outside_rewards import CallableReward, EndpointReward
from trainer.rlhf.reward_models import RewardModel, load_reward_model

Conversation = Sequence[Message]


class Reward(Protocol):
    def score(self, prompts: Sequence[Conversation], completions: Sequence[str]) -> list[float]:
        """A finite number for each completion of the prompt at its place: more is better.

        :raises LabError: there is none, for a reason in words.
        """


@dataclass(frozen=True)
class CheckpointReward:
    """A reward model with weights and a tokenizer of its own. PPO's goes a faster way where it shares the
    policy's backbone (``rollouts.measure``)."""

    model: RewardModel
    tokenizer: Any
    rows_per_pass: int = 16

    def score(self, prompts: Sequence[Conversation], completions: Sequence[str]) -> list[float]:
        sequences = [
            answer_sequence(prompt_ids(self.tokenizer, prompt), completion_ids(self.tokenizer, text, WHOLE))
            for prompt, text in zip(prompts, completions, strict=True)
        ]
        batch = pad(sequences, self.model.role.backbone.device)
        scores = torch.zeros(len(sequences), device=batch.mask.device)
        for rows in rows_by_length(batch, self.rows_per_pass):
            scores[rows] = self.model.scores(batch.rows(rows))
        return scores.tolist()


WHOLE = sys.maxsize


@dataclass(frozen=True)
class Mix:
    """The weighted sum of several rewards."""

    parts: Sequence[tuple[Reward, float]]

    def score(self, prompts: Sequence[Conversation], completions: Sequence[str]) -> list[float]:
        columns = [
            [weight * score for score in reward.score(prompts, completions)] for reward, weight in self.parts
        ]
        return [sum(scores) for scores in zip(*columns, strict=True)]


def load_reward(sources: Iterable[RewardSource], dtype: torch.dtype) -> Reward | None:
    """What scores as all the sources together say; None if there are none.

    :raises LabError: one of them cannot be loaded.
    """
    parts = [(_load(source, dtype), source.weight) for source in sources]
    return Mix(parts) if parts else None


def whole_reward(spec: RunSpec) -> list[RewardSource]:
    """All that the run's scores are made of, its reward model included."""
    checkpoint = [RewardSource(source=spec.reward_model)] if spec.reward_model else []
    return [*checkpoint, *spec.rewards]


def holdout_reward(spec: RunSpec) -> list[RewardSource]:
    return [RewardSource(source=spec.holdout_reward)] if spec.holdout_reward else []


def _load(source: RewardSource, dtype: torch.dtype) -> Reward:
    if source.is_python:
        return CallableReward.of(source.source)
    if source.is_endpoint:
        return EndpointReward(source.source)
    model = load_reward_model(Path(source.source), dtype=dtype)
    return CheckpointReward(model, load_tokenizer(source.source))
