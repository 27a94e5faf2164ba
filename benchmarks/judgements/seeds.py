"""Which data a part needs, and when it must be made anew."""

import hashlib
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from benchmarks.figures import ROOT

CAMPAIGN = "Everything"


@dataclass(frozen=True)
class Seed:
    name: str
    sets: int
    """Candidate sets, one for each prompt."""
    overlap: int = 2
    judged: bool = False
    """The first slot of each set has its ranking, and some prompts have demonstrations."""

    def arguments(self) -> dict[str, Any]:
        return asdict(self)


@cache
def digest_of_seeding() -> str:
    """Changes with the rows that are made, and with the tables they go into."""
    sources = [ROOT / "benchmarks" / "judgements" / name for name in ("seeding.py", "tables.py", "words.py")]
    sources += sorted((ROOT / "annotation" / "migrations").glob("0*.py"))
    sources += sorted((ROOT / "trainer" / "migrations").glob("0*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:10]
