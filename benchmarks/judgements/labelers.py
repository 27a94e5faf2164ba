"""Labelers who work through the real API."""

import asyncio
import random
import uuid
from collections.abc import Callable
from typing import Any

from benchmarks.judgements.clients import Answer, Client

IDLE_SECONDS = 0.2


class Labeler:
    """One person with one page: takes an assignment, ranks it, and is handed the next with the answer."""

    def __init__(self, client: Client, campaign: int, rng: random.Random) -> None:
        self.client = client
        self.campaign = campaign
        self.rng = rng
        self.answers: list[Answer] = []

    async def claim(self, holding: list[Any] | None = None) -> dict[str, Any] | None:
        body = {"count": 1, "holding": holding or []}
        answer = await self._post(f"/api/campaigns/{self.campaign}/assignments", body)
        offered = answer.body["assignments"] if answer.is_fine else []
        return offered[0] if offered else None

    async def submit(self, assignment: dict[str, Any], holding: list[Any] | None = None) -> Answer:
        path, body = self.submission(assignment)
        return await self._post(path, {**body, "holding": holding or []})

    def submission(self, assignment: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        ids = [candidate["id"] for candidate in assignment["candidates"]]
        self.rng.shuffle(ids)
        body = {
            "idempotency_key": str(uuid.UUID(int=self.rng.getrandbits(128), version=4)),
            "tiers": [[pk] for pk in ids],
            "unacceptable": [],
            "cannot_judge": "",
            "seconds_spent": round(self.rng.uniform(5, 200), 1),
            "holding": [],
        }
        return f"/api/assignments/{assignment['id']}/ranking", body

    async def work(self, *, until: Callable[[], bool], think: float) -> None:
        """Rank one after another, with pauses of ``think`` seconds on average."""
        assignment = await self.claim()
        while not until():
            if assignment is None:
                await asyncio.sleep(IDLE_SECONDS)
                assignment = await self.claim()
                continue
            if think:
                await asyncio.sleep(self.rng.uniform(0, 2 * think))
            answer = await self.submit(assignment)
            following = answer.body["next"] if answer.is_fine else []
            assignment = following[0] if following else None

    async def _post(self, path: str, body: Any) -> Answer:
        answer = await self.client.post(path, body)
        self.answers.append(answer)
        return answer
