"""The measurements: ``python -m benchmarks [NAME]``. Prints lines ``figure NAME VALUE UNIT`` and keeps them.

NAME is a benchmark, or one part of one as in ``lab.reward_k4``; without it all are measured.
"""

import argparse
import importlib
from pathlib import Path

from benchmarks.figures import RESULTS, keep

# Each is a module of its last word, with ``measure(part, repeats)``, which yields figures, and ``facts()`` to
# keep with them.
BENCHMARKS = (
    "lab",
    "browser",
    "flywheel",
    "judgements",
    "judgements.reliability",
    "judgements.reward_weights",
    "judgements.uncertain_first",
    "namespaces",
    "trl_reads",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", default="", help=f"one of {', '.join(BENCHMARKS)}, or part of one")
    parser.add_argument(
        "--repeats", "--seeds", type=int, default=5, help="runs of each side, or seeds (%(default)s)"
    )
    options = parser.parse_args()
    chosen = chosen_by(options.name)
    if not chosen:
        parser.error(f"there is no benchmark {options.name}; choose from {', '.join(BENCHMARKS)}")
    for name, part in chosen:
        run(name, part, options.repeats)


def chosen_by(name: str) -> list[tuple[str, str]]:
    """The benchmarks of this name, or the one that it is a part of; with the part, empty for all of it."""
    whole = [(one, "") for one in BENCHMARKS if not name or f"{one}.".startswith(f"{name}.")]
    around = sorted((one for one in BENCHMARKS if name.startswith(f"{one}.")), key=len)[-1:]
    return whole or [(one, name.removeprefix(f"{one}.")) for one in around]


def run(name: str, part: str, repeats: int, folder: Path = RESULTS) -> None:
    """Measure, print and keep."""
    benchmark = importlib.import_module(f"benchmarks.{name.rpartition('.')[2]}")
    figures = []
    for figure in benchmark.measure(part, repeats):
        print(figure, flush=True)
        figures.append(figure)
    keep(f"{name}.{part}" if part else name, figures, folder, repeats=repeats, **benchmark.facts())


if __name__ == "__main__":
    main()
