"""A million rankings: frozen, written as Parquet and as JSON lines for TRL, and all that a second time.

The figures of an export are those of its whole process without Django's start: seconds, and how much more
memory it held at most than before it began; the first byte counts from there too.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.judgements import commands
from benchmarks.judgements.next_item import MANY, judged
from benchmarks.judgements.places import DATABASES, Place, place
from benchmarks.judgements.seeds import CAMPAIGN
from benchmarks.judgements.servers import say

FORMATS = {
    "parquet": ("native", "parquet"),
    "trl": ("trl-preference", "jsonl"),
}


def measure() -> Iterator[Figure]:
    digests, worst = {}, 0.0
    for kind in DATABASES:
        with place(kind, judged(MANY)) as there:
            say(f"freezing on {kind}")
            frozen = commands.run(there, "freeze_snapshot", "--campaign", CAMPAIGN, "--kind", "rankings")
            facts = dict(line.partition(": ")[::2] for line in commands.said(there).splitlines())
            yield Figure(f"freeze_1m_s_{kind}", frozen.seconds, "s")
            yield Figure(f"freeze_1m_growth_mb_{kind}", frozen.growth_mb, "MB")
            yield Figure(f"freeze_1m_rows_{kind}", int(facts["rows"]), "rankings")
            digests[kind] = facts["sha256"]
            # What is written depends on the snapshot alone: the last database stands for all.
            if kind == DATABASES[-1]:
                for figure in exports(there, facts["id"]):
                    if "growth" in figure.name:
                        worst = max(worst, figure.value)
                    yield figure
    yield Figure("export_1m_growth_mb", worst, "MB")
    if len(digests) > 1:
        yield Figure("freeze_1m_same_digest", float(len(set(digests.values())) == 1), "yes")


def exports(there: Place, snapshot: str) -> Iterator[Figure]:
    for name, (format_name, container) in FORMATS.items():
        say(f"exporting {format_name} as {container}, twice")
        contents = []
        for attempt in ("first", "again"):
            out = there.folder / f"{name}-{attempt}"
            out.mkdir()
            wanted = ("--format", format_name, "--container", container, "--out", str(out))
            done = commands.run(there, "export_snapshot", snapshot, *wanted, into=out)
            contents.append(digests_in(out))
            if attempt == "first":
                yield Figure(f"export_1m_{name}_s", done.seconds, "s")
                yield Figure(f"export_1m_{name}_growth_mb", done.growth_mb, "MB")
                yield Figure(f"export_1m_{name}_first_byte_s", done.first_byte_seconds, "s")
                yield Figure(f"export_1m_{name}_mb", size_of(out) / 1e6, "MB")
        yield Figure(f"export_1m_{name}_identical", float(contents[0] == contents[1]), "yes")


def digests_in(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): _digest(path) for path in files}


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
