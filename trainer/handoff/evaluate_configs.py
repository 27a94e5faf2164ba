"""What an evaluation can be told. It stands apart for its length; read it through ``configs``."""

from dataclasses import dataclass

from trainer.handoff.configs import ConfigError, SampleConfig
from trainer.handoff.endpoints import is_endpoint


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
