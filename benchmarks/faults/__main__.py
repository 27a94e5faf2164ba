"""``python -m benchmarks.faults [NAME]``: harm done to runs, and what came of it.

Prints lines ``figure NAME VALUE UNIT`` and keeps them. NAME is one of the scenarios, or a part of one as in
``kills.sft``; without it all are done, each in a process of its own.
"""

import argparse
import importlib
import subprocess
import sys
from pathlib import Path

from benchmarks.figures import RESULTS, keep

SCENARIOS = ("kills", "stops", "times", "brokers", "databases", "disks", "clicks", "mixed")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("name", nargs="?", default="", help=f"{', '.join(SCENARIOS)}, or a part of one")
    parser.add_argument("--repeats", type=int, default=5, help="how often each fault is done (%(default)s)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where to keep the figures")
    options = parser.parse_args()
    scenario, _dot, part = options.name.partition(".")
    if not scenario:
        return max(_alone(name, options.repeats) for name in SCENARIOS)
    if scenario not in SCENARIOS:
        parser.error(f"there is no scenario {scenario}; choose from {', '.join(SCENARIOS)}")
    run(scenario, part, options.repeats, options.results)
    return 0


def run(name: str, part: str, repeats: int, folder: Path = RESULTS) -> None:
    """Do it, print the figures and keep them."""
    figures = []
    for figure in importlib.import_module(f"benchmarks.faults.{name}").measure(part, repeats):
        print(figure, flush=True)
        figures.append(figure)
    keep(f"faults.{name}.{part}" if part else f"faults.{name}", figures, folder, repeats=repeats)


def _alone(name: str, repeats: int) -> int:
    """Django is set up once per process, and each scenario wants a database of its own."""
    command = [sys.executable, "-m", "benchmarks.faults", name, "--repeats", str(repeats)]
    return subprocess.run(command).returncode  # noqa: S603  # ourselves


if __name__ == "__main__":
    sys.exit(main())
