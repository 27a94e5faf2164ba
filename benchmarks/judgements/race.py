"""Sixty-four clients against 20,000 slots and four web processes: who holds a slot holds it alone.

Most labelers are patient: they rank what they hold, after a moment. The others walk away from what they
claimed; their leases are made overdue at once (in real life they run out after minutes), so their slots
go to somebody else, and every second of them then comes back and hands in what is no longer theirs.
"""

import asyncio
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.figures import ROOT, Figure
from benchmarks.judgements.clients import Client
from benchmarks.judgements.labelers import IDLE_SECONDS, Labeler
from benchmarks.judgements.places import DATABASES, Place, place, scaled
from benchmarks.judgements.quantiles import milliseconds
from benchmarks.judgements.seeds import Seed
from benchmarks.judgements.servers import say

OVERLAP = 5
SLOTS = 20_000
CLIENTS = 64
THINK_SECONDS = 0.02
"""Long enough that holds of the same slot would be seen to overlap."""
AWAY_SECONDS = 1.0
MOST_HELD = 20
WANDERER = "allrounder-000"
"""What the names of those who walk away begin with: ten of the sixty-four."""
LOCK_WORDS = (b"database is locked", b"deadlock", b"OperationalError", b"could not serialize")


UNITS = {
    "double_leases": "leases",
    "over_k": "answers",
    "lock_errors": "answers",
    "unfinished": "slots",
    "surplus": "rankings",
    "requests_per_second": "requests/s",
    "p95_ms": "ms",
    "seconds": "s",
}


@dataclass
class Hold:
    """From when the client knew that a slot was its own until it let go."""

    labeler: str
    begun: float
    ended: float


@dataclass
class Log:
    holds: dict[Any, list[Hold]] = field(default_factory=lambda: defaultdict(list))
    refused: int = 0
    """Submits of a slot that was held all the time."""
    late: int = 0


def measure() -> Iterator[Figure]:
    worst: dict[str, int] = defaultdict(int)
    for kind in DATABASES:
        found = run(kind)
        for name, value in found.items():
            yield Figure(f"race_{name}_{kind}", value, UNITS[name])
        for name in ("double_leases", "over_k", "lock_errors", "unfinished"):
            worst[name] += int(found[name])
    for name, value in worst.items():
        yield Figure(f"race_{name}", value, UNITS[name])


def run(kind: str) -> dict[str, float]:
    sets = scaled(SLOTS) // OVERLAP
    with place(kind, Seed("race", sets, OVERLAP)) as there:
        sessions = there.desk("cast.add_allrounders", count=CLIENTS)
        with there.web() as port:
            say(f"{CLIENTS} clients for {sets * OVERLAP} slots on {kind}")
            labelers, log, seconds, left = asyncio.run(race(there, port, sessions))
        in_database = there.desk("checks.after_race", wanderers=WANDERER)
        say(f"the database says {in_database}; {log.late} handed in late")
        return figures(there, labelers, log, seconds, left, in_database)


async def race(there: Place, port: int, sessions: dict[str, str]) -> tuple[list[Labeler], Log, float, int]:
    campaign, log, is_over = there.desk("checks.campaign_id"), Log(), asyncio.Event()
    labelers, tasks = [], []
    started = time.perf_counter()
    for number, (name, session) in enumerate(sorted(sessions.items())):
        labeler = Labeler(Client(port, session), campaign, random.Random(number))
        labelers.append(labeler)
        way = wander if name.startswith(WANDERER) else work
        tasks.append(asyncio.create_task(way(name, labeler, log, is_over)))
    left = await until_all_is_done(there)
    seconds = time.perf_counter() - started
    is_over.set()
    await asyncio.gather(*tasks)
    return labelers, log, seconds, left


async def until_all_is_done(there: Place) -> int:
    """Ages leases meanwhile, and tells how many slots are left in the end."""
    command = there.desk_command("checks.age_leases", wanderers=WANDERER)
    aging = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=there.environment, stdout=asyncio.subprocess.PIPE
    )
    assert aging.stdout
    left, told = 0, time.monotonic()
    async for line in aging.stdout:
        left = int(line)
        if time.monotonic() - told > 10:
            told = time.monotonic()
            say(f"  {left} slots left")
    await aging.wait()
    return left


async def work(name: str, labeler: Labeler, log: Log, is_over: asyncio.Event) -> None:
    assignment = await labeler.claim()
    while not is_over.is_set():
        if assignment is None:
            await asyncio.sleep(IDLE_SECONDS)
            assignment = await labeler.claim()
            continue
        begun = time.perf_counter()
        await asyncio.sleep(labeler.rng.uniform(0, 2 * THINK_SECONDS))
        log.holds[assignment["id"]].append(Hold(name, begun, time.perf_counter()))
        answer = await labeler.submit(assignment)
        log.refused += 400 <= answer.status < 500
        following = answer.body["next"] if answer.is_fine else []
        assignment = following[0] if following else None


async def wander(name: str, labeler: Labeler, log: Log, is_over: asyncio.Event) -> None:
    """Claim and walk away; every second time come back when it is too late."""
    left_behind: list[Any] = []
    while not is_over.is_set():
        assignment = await labeler.claim(holding=left_behind[-MOST_HELD:])
        if assignment is None:
            await asyncio.sleep(IDLE_SECONDS)
            continue
        left_behind.append(assignment["id"])
        if labeler.rng.random() < 0.5:
            await asyncio.sleep(AWAY_SECONDS)
            await labeler.submit(assignment, holding=left_behind[-MOST_HELD:])
            log.late += 1


def figures(
    there: Place, labelers: list[Labeler], log: Log, seconds: float, left: int, in_database: dict[str, int]
) -> dict[str, float]:
    answers = [answer for labeler in labelers for answer in labeler.answers]
    broken = sum(answer.status >= 500 for answer in answers)
    said = there.web_log.read_bytes()
    locked = sum(said.count(words) for words in LOCK_WORDS)
    if broken or locked:
        sys.stderr.write(said[-3000:].decode(errors="replace"))
    doubles = overlapping(log) + in_database["slots_answered_twice"] + in_database["patient_surplus"]
    return {
        "double_leases": doubles + log.refused,
        "over_k": in_database["sets_over_k"] + in_database["labelers_asked_twice"],
        "lock_errors": broken + locked,
        "unfinished": left + in_database["sets_below_k"] + in_database["submitted_without_ranking"],
        "surplus": in_database["surplus"],
        "requests_per_second": len(answers) / seconds,
        "p95_ms": milliseconds([answer.seconds for answer in answers], 0.95),
        "seconds": seconds,
    }


def overlapping(log: Log) -> int:
    """Slots that a second labeler held while the first one surely did."""
    count = 0
    for holds in log.holds.values():
        ordered = sorted(holds, key=lambda hold: hold.begun)
        for earlier, later in zip(ordered, ordered[1:], strict=False):
            count += later.begun < earlier.ended and later.labeler != earlier.labeler
    return count
