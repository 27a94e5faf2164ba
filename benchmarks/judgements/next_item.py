"""The next item out of ten thousand and out of a million, for labelers with short and with long histories.

Timed twice: the action alone, in one process on the real database, and the whole request through gunicorn,
one at a time. Each claim is a fresh one: what a labeler already holds is named, so the next lies further on.
"""

import asyncio
import random
from collections.abc import Iterator
from typing import Any

from benchmarks.figures import Figure
from benchmarks.judgements.clients import Client
from benchmarks.judgements.labelers import Labeler
from benchmarks.judgements.places import DATABASES, Place, place, scaled
from benchmarks.judgements.quantiles import milliseconds
from benchmarks.judgements.seeds import Seed
from benchmarks.judgements.servers import say

FEW, MANY = 10_000, 1_000_000
BUSY, OTHERS = 25, 175
CLAIMS = 10
"""Each labeler's, in a row."""
SHARES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}

Times = dict[str, list[float]]


def judged(sets: int) -> Seed:
    """Half done: each set has one ranking and asks for one more."""
    return Seed("judged", scaled(sets), overlap=2, judged=True)


def measure() -> Iterator[Figure]:
    worst_ms = worst_ratio = 0.0
    for kind in DATABASES:
        few, many = claims(kind, FEW), claims(kind, MANY)
        for way in many:
            for name, share in SHARES.items():
                for size, times in (("10k", few), ("1m", many)):
                    figure = f"next_item_{size}_{way}_{name}_ms_{kind}"
                    yield Figure(figure, milliseconds(times[way], share), "ms")
            ratio = milliseconds(many[way], 0.95) / milliseconds(few[way], 0.95)
            yield Figure(f"next_item_1m_over_10k_{way}_{kind}", ratio, "times")
            worst_ratio = max(worst_ratio, ratio)
        worst_ms = max(worst_ms, milliseconds(many["request"], 0.95))
    # The worst of both databases: of whole requests, and of the action's and the request's ratio.
    yield Figure("next_item_1m_p95_ms", worst_ms, "ms")
    yield Figure("next_item_1m_over_10k", worst_ratio, "times")


def claims(kind: str, sets: int) -> Times:
    with place(kind, judged(sets)) as there:
        sessions = there.desk("cast.some_labelers", busy=BUSY, others=OTHERS)
        say(f"{len(sessions) * CLAIMS} claims out of {scaled(sets)} sets on {kind}")
        action = there.desk("claims.time_claims", names=list(sessions), count=CLAIMS)
        with there.web() as port:
            requests, missed = asyncio.run(requested(there, port, sessions))
        if missed or action["missed"]:
            say(f"  {missed + action['missed']} labelers found nothing more to rank")
        return {"action": action["seconds"], "request": requests}


async def requested(there: Place, port: int, sessions: dict[str, str]) -> tuple[list[float], int]:
    campaign, times, missed = there.desk("checks.campaign_id"), [], 0
    for number, session in enumerate(sessions.values()):
        labeler = Labeler(Client(port, session), campaign, random.Random(number))
        await labeler.client.get("/api/me")
        held: list[Any] = []
        for _ in range(CLAIMS):
            assignment = await labeler.claim(holding=held)
            if assignment is None:
                missed += 1
                break
            held.append(assignment["id"])
            times.append(labeler.answers[-1].seconds)
        labeler.client.close()
    return times, missed
