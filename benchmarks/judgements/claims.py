"""Claims as the views make them, without the views."""

import random
import time
from typing import Any

from django.utils import timezone

from annotation.actions.assignments import claim_assignments
from annotation.models import Assignment, Campaign, Person
from benchmarks.judgements.seeds import CAMPAIGN

WARM_UP = 5


def time_claims(*, names: list[str], count: int) -> dict[str, Any]:
    """Seconds of each claim by these labelers, in turn. What they claimed is then theirs no more."""
    campaign, rng = Campaign.objects.get(name=CAMPAIGN), random.Random(0)
    seconds: list[float] = []
    missed = 0
    for labeler in Person.objects.filter(username__in=names).order_by("username"):
        for _ in range(count):
            started = time.perf_counter()
            claimed = claim_assignments(
                campaign=campaign, labeler=labeler, count=1, holding=[], now=timezone.now(), rng=rng
            )
            seconds.append(time.perf_counter() - started)
            if not claimed:
                seconds.pop()
                missed += 1
                break
            # Without its ranking: only the hand-out is timed here, and the next claim must go further.
            claimed[0].submit(labeler)
    leave(names)
    return {"seconds": seconds[WARM_UP:], "missed": missed}


def leave(names: list[str]) -> None:
    """Back to how it was, so that requests are timed on the same queue."""
    Assignment.objects.submitted().filter(rankings__isnull=True, labeler__username__in=names).update(
        **Assignment.RETURNED
    )
