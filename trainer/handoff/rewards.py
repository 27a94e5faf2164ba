"""Where a reward comes from."""

import math
from dataclasses import dataclass
from urllib.parse import urlsplit

from trainer.handoff.configs import ConfigError

PYTHON = "python:"
ALLOWED = (
    "python:package.module:function, an http:// or https:// address, or the folder of a reward run's result"
)


@dataclass(frozen=True, kw_only=True)
class RewardSource:
    """One part of a reward, and what its scores count.

    A Python function is code that the lab will run. So only who writes ``config.json`` on the machine itself
    can name one: no web page and no API takes a source.
    """

    source: str
    """``python:package.module:function``, an ``http(s)://`` address, or the folder of a reward run's
    result."""
    weight: float = 1.0
    """Its scores are multiplied by this and added to the others'."""

    def __post_init__(self) -> None:
        if not isinstance(self.source, str) or not _can_be_read(self.source):
            raise ConfigError("source", self.source, ALLOWED)
        if isinstance(self.weight, bool) or not isinstance(self.weight, int | float):
            raise ConfigError("weight", self.weight, "a number")
        if not math.isfinite(self.weight):
            raise ConfigError("weight", self.weight, "a finite number")

    @property
    def is_checkpoint(self) -> bool:
        return not (self.is_python or self.is_endpoint)

    @property
    def is_python(self) -> bool:
        return self.source.startswith(PYTHON)

    @property
    def is_endpoint(self) -> bool:
        return "://" in self.source


def _can_be_read(source: str) -> bool:
    if source.startswith(PYTHON):
        module, _, function = source.removeprefix(PYTHON).partition(":")
        return function.isidentifier() and all(part.isidentifier() for part in module.split("."))
    if "://" not in source:
        return bool(source.strip())
    try:
        address = urlsplit(source)
        # A port that is no number shows only when it is asked for.
        return address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        return False
