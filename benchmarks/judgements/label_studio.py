"""Submit and next beside Label Studio: the same items, overlap, labelers, machine and kind of database.

A turn is what a labeler does once: hand in a ranking and get the next item. Ours is one request, Label
Studio's are two (POST an annotation, GET next, as its own page does); turns are what is counted. Each side
gets more and more labelers, who do not pause, until the 95th percentile of its turns passes ``BOUND_MS``; its
figure is the most turns a second that it did within the bound.

Label Studio runs as its own image runs it, by uWSGI with four processes (two a core) of one thread, and with
the other options of its ``deploy/uwsgi.ini`` that bear on speed; ``label-studio start`` would be Django's
development server. All processes stand ready from the start (its ini adds them under load). What it sends
to its makers is switched off.
"""

import asyncio
import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from benchmarks.judgements.clients import Answer, Client
from benchmarks.judgements.labelers import Labeler
from benchmarks.judgements.places import BENCH, WEB_PROCESSES, place, scaled
from benchmarks.judgements.quantiles import milliseconds
from benchmarks.judgements.seeds import Seed
from benchmarks.judgements.servers import free_port, running, say, wait_for
from benchmarks.judgements.words import LANGUAGES, Writer
from benchmarks.peers import peer_python

KIND = "sqlite"
"""For both. Label Studio on PostgreSQL asks for an extension (pg_trgm) that ours does not carry."""
ITEMS, OVERLAP = 40_000, 3
BOUND_MS = 500.0
LABELERS = (1, 2, 4, 8, 16, 32, 64)
LEVEL_SECONDS = float(os.environ.get("BENCH_LEVEL_SECONDS") or 15)
WARM_UP_SECONDS = 2.0

Turn = Callable[[], Awaitable[bool]]
"""Does one turn; False if there was nothing more to do or it was refused."""


@dataclass(frozen=True)
class Level:
    labelers: int
    turns_per_second: float
    p95_ms: float


def measure() -> Iterator[Figure]:
    best = {}
    for side, levels in (("ours", ours()), ("label_studio", theirs())):
        within = [level for level in levels if level.p95_ms <= BOUND_MS]
        # Too slow even for one labeler: then what that one got, in that side's favor.
        best[side] = max(within or levels[:1], key=lambda level: level.turns_per_second)
        yield Figure(f"{side}_turns_per_second", best[side].turns_per_second, "turns/s")
        yield Figure(f"{side}_p95_ms", best[side].p95_ms, "ms")
        yield Figure(f"{side}_labelers", best[side].labelers, "labelers")
    ratio = best["ours"].turns_per_second / best["label_studio"].turns_per_second
    yield Figure("label_studio_ratio", ratio, "times")


def ours() -> list[Level]:
    with place(KIND, Seed("beside", scaled(ITEMS), overlap=OVERLAP)) as there:
        sessions = list(there.desk("cast.add_allrounders", count=LABELERS[-1]).values())
        campaign = there.desk("checks.campaign_id")
        with there.web() as port:
            say("ours")
            turns = [our_turns(port, session, campaign, number) for number, session in enumerate(sessions)]
            return asyncio.run(climb(turns))


def theirs() -> list[Level]:
    with label_studio() as (port, project, sessions):
        say("Label Studio")
        turns = [their_turns(port, session, project, number) for number, session in enumerate(sessions)]
        return asyncio.run(climb(turns))


def our_turns(port: int, session: str, campaign: int, number: int) -> Turn:
    labeler = Labeler(Client(port, session), campaign, random.Random(number))
    held: list[dict[str, Any]] = []

    async def turn() -> bool:
        answer = await labeler.submit(held.pop()) if held else None
        if answer and answer.is_fine:
            held.extend(answer.body["next"])
        elif first := await labeler.claim():
            held.append(first)
        return bool(held)

    return turn


def their_turns(port: int, session: str, project: int, number: int) -> Turn:
    client, rng, held = Client(port, session), random.Random(number), list[dict[str, Any]]()

    async def turn() -> bool:
        if held:
            await expect(client.post(*annotation(held.pop(), project, rng)))
        following = await expect(client.get(f"/api/projects/{project}/next"))
        held.append(following.body)
        return True

    return turn


def annotation(task: dict[str, Any], project: int, rng: random.Random) -> tuple[str, dict[str, Any]]:
    ids = [answer["id"] for answer in task["data"]["answers"]]
    rng.shuffle(ids)
    result = {
        "id": f"{rng.getrandbits(40):010x}",
        "from_name": "rank",
        "to_name": "answers",
        "type": "ranker",
        "value": {"ranker": {"rank": ids}},
    }
    body = {"result": [result], "lead_time": 12.5, "project": project, "was_cancelled": False}
    return f"/api/tasks/{task['id']}/annotations/?project={project}", body


async def expect(answering: Awaitable[Answer]) -> Answer:
    """:raises SystemExit: it was refused."""
    answer = await answering
    if not answer.is_fine:
        raise SystemExit(f"Label Studio answers {answer.status}: {answer.content[:500]!r}")
    return answer


async def climb(turns: list[Turn]) -> list[Level]:
    """Levels with ever more labelers, until one misses the bound; then one between the last two."""
    levels: list[Level] = []
    for labelers in LABELERS:
        levels.append(await level(turns[:labelers]))
        if levels[-1].p95_ms > BOUND_MS:
            break
    if len(levels) > 1 and levels[-1].p95_ms > BOUND_MS and levels[-1].labelers > 2:
        levels.append(await level(turns[: (levels[-1].labelers + levels[-2].labelers) // 2]))
    return levels


async def level(turns: list[Turn]) -> Level:
    times: list[float] = []
    begun = time.perf_counter()
    counted_from, end = begun + WARM_UP_SECONDS, begun + WARM_UP_SECONDS + LEVEL_SECONDS

    async def work(turn: Turn) -> None:
        while (started := time.perf_counter()) < end:
            if not await turn():
                raise SystemExit("there was nothing left to rank: too few items for so fast a machine")
            if started >= counted_from:
                times.append(time.perf_counter() - started)

    await asyncio.gather(*(work(turn) for turn in turns))
    seconds = time.perf_counter() - counted_from
    # A level in which nobody finished in time has the time that it took.
    done = Level(len(turns), len(times) / seconds, milliseconds(times or [seconds], 0.95))
    say(f"  {done.labelers} labelers: {done.turns_per_second:.1f} turns/s, p95 {done.p95_ms:.0f} ms")
    return done


@contextmanager
def label_studio() -> Iterator[tuple[int, int, list[str]]]:
    """Its server with the same items: port, project, sessions."""
    python = peer_python("label-studio")
    folder = BENCH / "work" / f"label-studio-{os.getpid()}"
    folder.mkdir(parents=True)
    try:
        environment = their_environment(folder)
        say("filling Label Studio's database; its migrations take a while")
        made = fill(python, folder, environment)
        with uwsgi(python, folder, environment) as port:
            yield port, made["project"], made["sessions"]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def their_environment(folder: Path) -> dict[str, str]:
    quiet = {
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "0",
    }
    database = {"DJANGO_DB": KIND, "LABEL_STUDIO_BASE_DATA_DIR": str(folder)}
    rest = {
        name: value for name, value in os.environ.items() if not name.startswith(("RANKWRIGHT_", "DJANGO_"))
    }
    return {**rest, **database, **quiet, "DJANGO_SETTINGS_MODULE": "core.settings.label_studio"}


def fill(python: Path, folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    tasks, job = folder / "tasks.json", folder / "job.json"
    tasks.write_text(json.dumps(list(items(scaled(ITEMS)))))
    job.write_text(json.dumps({"tasks": str(tasks), "overlap": OVERLAP, "labelers": LABELERS[-1]}))
    script = Path(__file__).with_name("label_studio_side.py")
    done = subprocess.run(
        [python, script, job],
        cwd=package(python),
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    made: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return made


def items(count: int) -> Iterator[dict[str, Any]]:
    """The same texts as ours, in their shape."""
    writer = Writer(0)
    for number in range(count):
        language = LANGUAGES[number % len(LANGUAGES)]
        answers = [
            {"id": f"{number}-{place}", "title": "", "body": writer.answer(language)}
            for place in range((2, 2, 2, 3, 4)[number % 5])
        ]
        yield {"prompt": writer.prompt(number, language), "answers": answers}


@contextmanager
def uwsgi(python: Path, folder: Path, environment: dict[str, str]) -> Iterator[int]:
    port = free_port()
    options = {
        "http": f"127.0.0.1:{port}",
        "module": "core.wsgi:application",
        "processes": str(WEB_PROCESSES),
        "threads": "1",
        "buffer-size": "65535",
        "http-timeout": "300",
        "post-buffering": "4096",
    }
    switches = ["master", "single-interpreter", "vacuum", "die-on-term", "need-app", "enable-threads"]
    switches += ["thunder-lock", "lazy-apps", "disable-logging", "ignore-sigpipe", "ignore-write-errors"]
    command = [str(python.parent / "uwsgi"), "--virtualenv", str(python.parent.parent)]
    command += [word for name, value in options.items() for word in (f"--{name}", value)]
    command += [f"--{switch}" for switch in switches]
    log = folder / "uwsgi.log"
    with running(command, environment=environment, log=log, cwd=package(python)) as server:
        wait_for(f"http://127.0.0.1:{port}/health", server, log)
        yield port


def package(python: Path) -> Path:
    """Where its settings expect to be started."""
    found = list((python.parent.parent / "lib").glob("python*/site-packages/label_studio"))
    return found[0]
