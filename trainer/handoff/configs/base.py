"""What every config has, and how a setting is refused."""

from dataclasses import dataclass
from typing import Any

from trainer.handoff.failures import Failure
from trainer.handoff.templates import mistake_in

LONGEST_TEMPLATE = 20_000


class ConfigError(ValueError):
    """A setting that cannot be: names the field, its value and what is allowed."""

    failure = Failure.SETTINGS

    def __init__(self, field: str, value: object, allowed: str) -> None:
        shown = repr(value)
        shown = shown if len(shown) <= 100 else f"{shown[:99]}…"
        super().__init__(f"{field} is {shown}; it must be {allowed}.")
        self.field, self.value, self.allowed = field, value, allowed


@dataclass(frozen=True, kw_only=True)
class LabConfig:
    """What every stage has."""

    seed: int = 0
    """Of all randomness in the run; the same seed on the same machine gives the same result."""
    dtype: str = "auto"
    """Of the arithmetic: bfloat16, float32, or auto (bfloat16 where the machine has it)."""
    max_prompt_tokens: int = 1024
    """Longer prompts are left out, and counted in the summary."""

    def __post_init__(self) -> None:
        one_of(self, "dtype", ("auto", "bfloat16", "float32"))
        at_least(self, 1, "max_prompt_tokens")
        at_least(self, 0, "seed")


def at_least(config: Any, least: float, *names: str) -> None:
    for name in names:
        if not getattr(config, name) >= least:
            raise ConfigError(name, getattr(config, name), f"{least} or more")


def above(config: Any, bound: float, *names: str) -> None:
    for name in names:
        if not getattr(config, name) > bound:
            raise ConfigError(name, getattr(config, name), f"more than {bound}")


def between(config: Any, least: float, most: float, *names: str) -> None:
    for name in names:
        if not least <= getattr(config, name) <= most:
            raise ConfigError(name, getattr(config, name), f"between {least} and {most}")


def a_template(config: Any, name: str, needs: set[str], may: set[str]) -> None:
    """A text with the places in braces that it needs, and no others than it may have."""
    template = getattr(config, name)
    if len(template) > LONGEST_TEMPLATE:
        raise ConfigError(name, template, f"at most {LONGEST_TEMPLATE} characters long")
    if words := mistake_in(template, needs, may):
        raise ConfigError(name, template, words)


def one_of(config: Any, name: str, allowed: tuple[str, ...]) -> None:
    if getattr(config, name) not in allowed:
        raise ConfigError(name, getattr(config, name), f"one of {', '.join(allowed)}")
