"""The judgements at full size: ``make bench ONLY=judgements[.PART]``.

Each part runs the product as it is deployed (gunicorn with four processes, the product's settings) on a copy
of seeded data, on SQLite and on PostgreSQL. ``BENCH_SCALE=0.01`` takes a quick look at a hundredth of the
rows; ``BENCH_DATABASES=sqlite`` leaves the other one out.
"""

import importlib
from collections.abc import Iterator

from benchmarks.figures import Figure
from benchmarks.judgements.places import DATABASES, SCALE
from benchmarks.judgements.servers import say

PARTS = ("race", "submits", "next_item", "label_studio", "export", "import", "admin")
MODULES = {"import": "imports"}
"""Where a part's name is no name for a module."""


def measure(part: str, repeats: int) -> Iterator[Figure]:
    """One part's figures, or all of them. Each is one long run: ``repeats`` is for short ones."""
    if part and part not in PARTS:
        raise SystemExit(f"there is no part {part}; choose from {', '.join(PARTS)}")
    for name in (part,) if part else PARTS:
        say(f"judgements.{name}")
        yield from importlib.import_module(f"benchmarks.judgements.{MODULES.get(name, name)}").measure()


def facts() -> dict[str, object]:
    return {"scale": SCALE, "databases": list(DATABASES)}
