"""What the stages can be told that answer prompts."""

from dataclasses import dataclass

from trainer.handoff.configs.base import ConfigError, LabConfig, above, at_least, between, one_of
from trainer.handoff.endpoints import is_endpoint


@dataclass(frozen=True, kw_only=True)
class SampleConfig(LabConfig):
    """Candidates to rank, from a policy."""

    completions_per_prompt: int = 4
    """How many candidates each prompt gets."""
    best_of: int = 1
    """Each candidate is the best of so many by the reward model; 1: as sampled."""
    temperature: float = 0.9
    """Of sampling."""
    max_new_tokens: int = 128
    """Completions are cut here."""
    split: str = "all"
    """Which prompts: all, train or held_out."""
    prompts: int = 0
    """At most so many prompts, chosen by the seed; 0: all of them."""
    batch_size: int = 24
    """Completions sampled side by side; at least one prompt's."""
    most_tokens: int = 0
    """Where a model server is asked: it stops after so many tokens; 0: no limit."""
    requests_per_minute: int = 0
    """Where a model server is asked: at most so many requests a minute; 0: no limit."""

    def __post_init__(self) -> None:
        super().__post_init__()
        above(self, 0, "temperature")
        between(self, 1, 9, "completions_per_prompt")
        at_least(self, 1, "best_of", "max_new_tokens", "batch_size")
        at_least(self, 0, "prompts", "most_tokens", "requests_per_minute")
        one_of(self, "split", ("all", "train", "held_out"))

    @property
    def draws_per_prompt(self) -> int:
        return self.completions_per_prompt * self.best_of

    @property
    def prompts_at_once(self) -> int:
        return max(1, self.batch_size // self.draws_per_prompt)


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(SampleConfig):
    """What a checkpoint reaches on held-out prompts: scores, lengths, refusals, repetition, perplexity."""

    split: str = "held_out"
    """Which prompts: all, train or held_out."""
    max_demonstration_tokens: int = 512
    """Of the held-out demonstrations that perplexity is measured on: longer answers are cut."""

    judge: str = ""
    """Who compares the answers with those of ``against``: endpoint:NAME or endpoint:NAME/MODEL, or nobody."""
    against: int = 0
    """The number of an earlier run whose answers to the same prompts are the baseline of a judge; 0: none."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.best_of != 1:
            raise ConfigError("best_of", self.best_of, "1: an evaluation keeps every answer")
        if self.max_demonstration_tokens < 1:
            raise ConfigError("max_demonstration_tokens", self.max_demonstration_tokens, "1 or more")
        if self.judge and not is_endpoint(self.judge):
            raise ConfigError("judge", self.judge, "endpoint:NAME, or empty")
        if bool(self.judge) != (self.against > 0):
            raise ConfigError("against", self.against, "the number of a run with a judge, and 0 without")
