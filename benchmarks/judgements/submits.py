"""Ten thousand submits, each sent again and again: one row each, and the same answer to every copy.

Two to five copies of a submit go out at once, each on its own connection, and one of them is cut off before
it is answered (the page timed out). When all are answered, it is sent once more.
"""

import asyncio
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.figures import Figure
from benchmarks.judgements.clients import Answer, Client
from benchmarks.judgements.labelers import IDLE_SECONDS, Labeler
from benchmarks.judgements.places import DATABASES, Place, place, scaled
from benchmarks.judgements.seeds import Seed
from benchmarks.judgements.servers import say

SUBMITS = 10_000
LABELERS = 16
MOST_COPIES = 5
STALL_SECONDS = 60


@dataclass
class Log:
    wanted: int
    keys: list[str] = field(default_factory=list)
    sent: int = 0
    odd_answers: int = 0
    """Copies that were refused, that failed, or that were told of another ranking than the others."""
    broken: int = 0
    moved_at: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        return len(self.keys) >= self.wanted or time.monotonic() - self.moved_at > STALL_SECONDS


def measure() -> Iterator[Figure]:
    totals = {"duplicate_submits": 0, "lost_submits": 0}
    for kind in DATABASES:
        found = run(kind)
        for name, value in found.items():
            yield Figure(f"{name}_{kind}", value, "copies/s" if name.endswith("second") else "submits")
        for name in totals:
            totals[name] += int(found[name])
    for name, value in totals.items():
        yield Figure(name, value, "submits")


def run(kind: str) -> dict[str, float]:
    with place(kind, Seed("submits", scaled(SUBMITS), overlap=1)) as there:
        sessions = there.desk("cast.add_allrounders", count=LABELERS)
        with there.web() as port:
            say(f"{scaled(SUBMITS)} submits on {kind}, each sent 3 to 6 times")
            started = time.perf_counter()
            log = asyncio.run(storm(there, port, sessions))
            seconds = time.perf_counter() - started
        sent = there.folder / "sent.json"
        sent.write_text(json.dumps([key.replace("-", "") for key in log.keys]))
        found = there.desk("checks.after_submits", sent=str(sent))
    return {
        "submits": len(log.keys),
        "duplicate_submits": found["duplicates"],
        "lost_submits": found["lost"] + scaled(SUBMITS) - len(log.keys),
        "odd_answers_to_submits": log.odd_answers,
        "broken_answers_to_submits": log.broken,
        "submit_copies_per_second": log.sent / seconds,
    }


async def storm(there: Place, port: int, sessions: dict[str, str]) -> Log:
    log, campaign = Log(scaled(SUBMITS)), there.desk("checks.campaign_id")
    watching = asyncio.create_task(tell(log))
    await asyncio.gather(
        *(
            press(Labeler(Client(port, session), campaign, random.Random(number)), log)
            for number, session in enumerate(sessions.values())
        )
    )
    watching.cancel()
    return log


async def press(labeler: Labeler, log: Log) -> None:
    """Submit as somebody does who presses the button too often, over a bad line."""
    client = labeler.client
    lines = [client, *(_another(client) for _ in range(MOST_COPIES - 1))]
    while not log.is_over:
        assignment = await labeler.claim()
        if assignment is None:
            await asyncio.sleep(IDLE_SECONDS)
            continue
        path, body = labeler.submission(assignment)
        copies = labeler.rng.randint(2, MOST_COPIES)
        answered = [line.post(path, body) for line in lines[: copies - 1]]
        answers: list[Answer | None] = list(
            await asyncio.gather(*answered, client.post_and_leave(path, body))
        )
        answers.append(await client.post(path, body))
        log.keys.append(body["idempotency_key"])
        log.sent += copies + 1
        log.moved_at = time.monotonic()
        look_at([answer for answer in answers if answer], log)


def look_at(answers: list[Answer], log: Log) -> None:
    log.broken += sum(answer.status >= 500 for answer in answers)
    told = {answer.body["ranking_id"] for answer in answers if answer.is_fine}
    log.odd_answers += sum(not answer.is_fine for answer in answers) + len(told) - 1


def _another(client: Client) -> Client:
    copy = Client(client.port, "")
    copy.cookies = client.cookies
    return copy


async def tell(log: Log) -> None:
    while True:
        await asyncio.sleep(15)
        say(f"  {len(log.keys)} of {log.wanted} submitted")
