"""One web process of a race, for ``test_race.py``: labelers who hurry, each in a thread with two tabs.

``python -m tests.annotation.racing CAMPAIGN HOURS LABELER …`` works until nothing waits, and prints what went
wrong.
With HOURS, somebody's clock is ahead by so much now and then, and leases run out under others' hands.
"""

import contextlib
import os
import random
import sys
import threading
import traceback
from datetime import timedelta
from uuid import UUID

import django
from django.db import connection
from django.utils import timezone


def main(campaign_id: int, hours: int, names: list[str]) -> None:
    problems: list[str] = []
    threads = [
        threading.Thread(target=hurry, args=(campaign_id, hours, name, tab, problems))
        for name in names
        for tab in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("\n".join(problems))  # noqa: T201


def hurry(campaign_id: int, hours: int, name: str, tab: str, problems: list[str]) -> None:
    try:
        work(campaign_id, hours, name, random.Random(name + tab))
    except Exception:  # whatever it is, the race has found something
        problems.append(traceback.format_exc())
    finally:
        connection.close()


def work(campaign_id: int, hours: int, name: str, rng: random.Random) -> None:
    from annotation.actions.assignments import (
        claim_assignments,
        return_overdue_assignments,
        skip_assignment,
    )
    from annotation.errors import AlreadySubmitted, LeaseLost
    from annotation.models import Campaign, Person

    labeler, campaign = Person.objects.get(username=name), Campaign.objects.get(pk=campaign_id)
    idle = 0
    while idle < 3:
        now = timezone.now() + timedelta(hours=rng.choice([0, 0, 0, hours]))
        claimed = claim_assignments(campaign=campaign, labeler=labeler, count=2, holding=[], now=now, rng=rng)
        idle = 0 if claimed else idle + 1
        for assignment in claimed:
            if hours and rng.random() < 0.05:
                with contextlib.suppress(LeaseLost):
                    skip_assignment(assignment=assignment, labeler=labeler, reason="tired", now=now)
                continue
            if hours and rng.random() < 0.1:
                return_overdue_assignments(now=now + timedelta(hours=hours))
            # The other tab may be faster, or may have skipped it.
            with contextlib.suppress(AlreadySubmitted, LeaseLost):
                submit_twice(assignment, labeler, now)


def submit_twice(assignment, labeler, now) -> None:
    from annotation.actions.rankings import submit_ranking

    key = UUID(int=random.getrandbits(128))
    for _ in range(2):
        submit_ranking(
            assignment=assignment,
            labeler=labeler,
            tiers=[[pk] for pk in sorted(assignment.shown_order)],
            unacceptable=[],
            cannot_judge="",
            seconds_spent=1,
            idempotency_key=key,
            now=now,
        )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
