"""How much of the app is fetched before anything is shown, as it travels compressed."""

import gzip
import re
from pathlib import Path

from benchmarks.figures import ROOT

DIST = ROOT / "frontend" / "dist"
IMPORT = re.compile(r"""(?:from|import)\s*["'](\./[^"']+\.js)["']""")


def first_load(kind: str) -> list[Path]:
    """The ``js`` or ``css`` files that the page names, and what those import at once."""
    page = (DIST / "index.html").read_text()
    files = [DIST / found for found in re.findall(rf'(?:src|href)="/static/app/([^"]+\.{kind})"', page)]
    for file in files:
        if kind == "js":
            imported = [file.parent / name for name in IMPORT.findall(file.read_text())]
            files += [one for one in imported if one.resolve() not in {known.resolve() for known in files}]
    return files


def gz_kb(files: list[Path]) -> float:
    return sum(len(gzip.compress(file.read_bytes())) for file in files) / 1000
