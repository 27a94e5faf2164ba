"""The model's life after training: ``make bench ONLY=flywheel[.PART]``."""

import importlib
import os
from collections.abc import Iterator
from typing import Any

from benchmarks.figures import Figure

PARTS = ("arena", "compression", "layers", "llama_cpp", "serving", "student", "users")
"""Each is a module with ``figures(repeats)``."""


def measure(part: str, repeats: int) -> Iterator[Figure]:
    """One part's figures, or all of them."""
    if part and part not in PARTS:
        raise SystemExit(f"there is no part {part}; choose from {', '.join(PARTS)}")
    for name in (part,) if part else PARTS:
        yield from importlib.import_module(f"benchmarks.flywheel.{name}").figures(repeats)


def facts() -> dict[str, Any]:
    return {"model": "SmolLM2-135M-Instruct", "load_average": os.getloadavg()[0]}
