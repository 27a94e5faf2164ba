"""A day's work of simulated labelers, each in a thread of its own, through the API that people use."""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import Any
from uuid import UUID

from annotation.labeler_client import LabelerClient, Refused, Unreachable
from annotation.labeler_traits import Traits, Truth, rank_as_seen, seconds_for

LOST = {"lease_lost", "already_submitted"}
"""Somebody was faster, or the lease ran out: the page asks for something else."""


@dataclass(frozen=True, kw_only=True)
class SimulatedLabeler:
    username: str
    password: str
    traits: Traits
    seed: str


@dataclass(frozen=True, kw_only=True)
class Work:
    """What all of them are told to do."""

    url: str
    campaign_id: int
    truth: Truth
    most_rankings: int
    """Of each labeler; 0: until nothing waits."""
    skip_share: float
    """Of what they are handed."""
    resend_share: float
    """Of what they submit is sent twice, as after a broken connection."""


@dataclass
class Day:
    """What a labeler did, and why they stopped before the end."""

    ranked: int = 0
    skipped: int = 0
    lost: int = 0
    resent: int = 0
    left_because: str = ""
    code: str = ""


def work_together(
    labelers: Sequence[SimulatedLabeler],
    work: Work,
    days: Sequence[Day],
    *,
    told: Callable[[], None] = lambda: None,
) -> None:
    """Fill in everybody's day. ``told`` is called after each turn, by whose turn it was."""
    stopping = Event()
    with ThreadPoolExecutor(max_workers=len(labelers)) as threads:
        at_work = [
            threads.submit(work_a_day, labeler, work, day, stopping, told)
            for labeler, day in zip(labelers, days, strict=True)
        ]
        try:
            for one in at_work:
                one.result()
        finally:
            # After Ctrl-C everybody finishes the turn they are at.
            stopping.set()


def work_a_day(
    labeler: SimulatedLabeler,
    work: Work,
    day: Day,
    stopping: Event,
    told: Callable[[], None] = lambda: None,
) -> None:
    """Until nothing waits, or enough is ranked, or the server will not have any more."""
    client, rng = LabelerClient(work.url), random.Random(labeler.seed)
    try:
        client.sign_in(labeler.username, labeler.password)
        held = _first(client, work.campaign_id)
        while held and not stopping.is_set() and not 0 < work.most_rankings <= day.ranked:
            try:
                held = _take_turn(client, held[0], labeler.traits, work, day, rng)
                told()
                # Where nothing comes next, asking for it tells why.
                held = held or client.claim(work.campaign_id)
            except Refused as refused:
                if refused.code not in LOST:
                    raise
                day.lost += 1
                held = client.claim(work.campaign_id)
        client.sign_out()
    except (Refused, Unreachable) as error:
        day.left_because, day.code = str(error), getattr(error, "code", "unreachable")


def _first(client: LabelerClient, campaign_id: int) -> list[dict[str, Any]]:
    try:
        return client.claim(campaign_id)
    except Refused as refused:
        if refused.code != "consent_needed":
            raise
    client.agree(campaign_id)
    return client.claim(campaign_id)


def _take_turn(
    client: LabelerClient,
    assignment: dict[str, Any],
    traits: Traits,
    work: Work,
    day: Day,
    rng: random.Random,
) -> list[dict[str, Any]]:
    """One assignment from its first sight to what comes next."""
    client.extend(assignment["id"])
    if rng.random() < work.skip_share:
        day.skipped += 1
        return client.skip(assignment["id"], "I do not know enough about this.")
    texts = {candidate["id"]: candidate["text"] for candidate in assignment["candidates"]}
    judgement = {
        "tiers": rank_as_seen(traits, list(texts), texts, truth=work.truth, done=day.ranked, rng=rng),
        "unacceptable": [],
        "cannot_judge": "",
        "seconds_spent": seconds_for(traits, texts, rng=rng),
        "idempotency_key": str(UUID(int=rng.getrandbits(128), version=4)),
    }
    following = client.submit(assignment["id"], judgement)
    if rng.random() < work.resend_share:
        day.resent += 1
        following = client.submit(assignment["id"], judgement)
    day.ranked += 1
    return following
