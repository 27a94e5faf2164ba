"""What the database says after a part: counted there, and not from what the clients were told."""

import json
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db.models import Count, F, Q
from django.utils import timezone

from annotation.models import Assignment, Campaign, CandidateSet, Ranking
from benchmarks.judgements.seeds import CAMPAIGN

AGING_SECONDS = 0.5
STALL_SECONDS = 120


def campaign_id() -> int:
    return Campaign.objects.get(name=CAMPAIGN).pk


def age_leases(*, wanderers: str) -> int:
    """Make the leases of those who walked away overdue, again and again, until every slot has its ranking.

    Tells how many slots are left, a line each time. Ends as well when nothing moves any more.
    """
    walked_away = Assignment.objects.claimed().filter(labeler__username__startswith=wanderers)
    left, since = -1, time.monotonic()
    while True:
        now = timezone.now()
        walked_away.filter(lease_expires_at__gt=now).update(lease_expires_at=now - timedelta(seconds=1))
        still = Assignment.objects.filter(purpose="overlap").exclude(status="SUBMITTED").count()
        if still != left:
            left, since = still, time.monotonic()
        print(left, flush=True)
        if not left or time.monotonic() - since > STALL_SECONDS:
            return left
        time.sleep(AGING_SECONDS)


def after_race(*, wanderers: str) -> dict[str, int]:
    overlap = Q(assignments__purpose="overlap", assignments__status="SUBMITTED")
    sets = CandidateSet.objects.annotate(
        answers=Count("assignments", filter=overlap),
        slots=Count("assignments", filter=Q(assignments__purpose="overlap")),
    )
    wanted = F("prompt__campaign__overlap")
    rankings = Ranking.objects.filter(revision=1)
    counted = rankings.filter(assignment__purpose="overlap")
    patient = rankings.exclude(labeler__username__startswith=wanderers)
    twice = rankings.values("labeler", "assignment__candidate_set").annotate(times=Count("pk"))
    return {
        "answers": counted.count(),
        "surplus": rankings.filter(assignment__purpose="surplus").count(),
        "sets_over_k": sets.filter(Q(answers__gt=wanted) | Q(slots__gt=wanted)).count(),
        "sets_below_k": sets.filter(answers__lt=wanted).count(),
        "slots_answered_twice": counted.values("assignment")
        .annotate(times=Count("pk"))
        .filter(times__gt=1)
        .count(),
        # Their leases never ran out: what they handed in can only be surplus if somebody else had the slot.
        "patient_surplus": patient.filter(assignment__purpose="surplus").count(),
        "labelers_asked_twice": twice.filter(times__gt=1).count(),
        "submitted_without_ranking": Assignment.objects.submitted().filter(rankings__isnull=True).count(),
    }


def after_submits(*, sent: str) -> dict[str, Any]:
    """``sent``: a file with the keys that clients sent, each a submit."""
    keys = set(json.loads(Path(sent).read_text()))
    stored = [key.hex for key in Ranking.objects.values_list("idempotency_key", flat=True)]
    distinct = {key for key in stored if key in keys}
    print(f"  {len(stored)} rows for {len(keys)} submits", file=sys.stderr)
    return {"rows": len(stored), "duplicates": len(stored) - len(distinct), "lost": len(keys - distinct)}
