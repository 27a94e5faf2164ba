"""The measurements: ``python -m benchmarks [NAME]``. Prints lines ``figure NAME VALUE UNIT`` and keeps them.

NAME is a benchmark, or one part of one as in ``lab.reward_k4``; without it all are measured.
"""

import argparse
import importlib
from pathlib import Path

from benchmarks.figures import RESULTS, keep

# Each is a module with ``measure(part, repeats)``, which yields figures, and ``facts()`` to keep with them.
BENCHMARKS = ("lab", "judgements", "trl_reads")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", default="", help=f"one of {', '.join(BENCHMARKS)}, or part of one")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each side; medians are printed")
    options = parser.parse_args()
    name, _, part = options.name.partition(".")
    if name and name not in BENCHMARKS:
        parser.error(f"there is no benchmark {name}; choose from {', '.join(BENCHMARKS)}")
    for one in (name,) if name else BENCHMARKS:
        run(one, part, options.repeats)


def run(name: str, part: str, repeats: int, folder: Path = RESULTS) -> None:
    """Measure, print and keep."""
    benchmark = importlib.import_module(f"benchmarks.{name}")
    figures = []
    for figure in benchmark.measure(part, repeats):
        print(figure, flush=True)
        figures.append(figure)
    keep(f"{name}.{part}" if part else name, figures, folder, repeats=repeats, **benchmark.facts())


if __name__ == "__main__":
    main()
