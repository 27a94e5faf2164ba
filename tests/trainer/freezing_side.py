"""Freezes fixed rows on the database that the environment names, and prints their digests.

``python -m tests.trainer.freezing_side``: the other process of test_both_databases.
"""

import json
import os
from datetime import UTC, datetime
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
NOON = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)


def main() -> None:
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    print(json.dumps({kind: freeze(kind, make_rows()) for kind in ("demonstrations", "rankings", "prompts")}))  # noqa: T201


def make_rows():
    from annotation.models import Campaign

    return Campaign.objects.filter(name="Kitchen").first() or _fill(Campaign.objects.create(name="Kitchen"))


def freeze(kind, campaign):
    from trainer.actions.snapshots import freeze_snapshot

    snapshot = freeze_snapshot(campaign=campaign, kind=kind, created_by=None, now=NOON)
    return [snapshot.digest, snapshot.rows]


def _fill(campaign):
    from annotation.actions.campaigns import publish_guideline
    from annotation.actions.candidates import add_candidate_set
    from annotation.actions.prompts import add_prompt
    from annotation.models import Consensus, Demonstration, Person

    ada, grace = (Person.objects.create_user(name, password="correct horse") for name in ("ada", "grace"))
    guideline = publish_guideline(campaign=campaign, text="Be kind.", now=NOON)
    for dish in ("汤", "rice\r\n", "tea\u2028", "bread 👩‍🍳"):
        prompt, _ = add_prompt(
            campaign=campaign, messages=[{"role": "user", "content": f"{dish}?"}], kind="question"
        )
        Demonstration.objects.create(
            prompt=prompt,
            labeler=ada,
            turns=[{"content": "So.", "role": "assistant"}],
            status="SUBMITTED",
            submitted_at=NOON,
        )
        add_candidate_set(prompt=prompt, texts=["Boil it.", "Fry it.", "Bake it."])
        candidate_set = prompt.candidate_sets.get()
        ids = list(candidate_set.completions.order_by("pk").values_list("pk", flat=True))
        # The later labeler first: rows stand in the file as their sets do, not as they came.
        for labeler in (grace, ada):
            _judge(candidate_set, campaign, labeler, guideline, ids)
        Consensus.objects.create(
            candidate_set=candidate_set,
            campaign=campaign,
            method="borda",
            tiers=[[pk] for pk in ids],
            scores={str(pk): {"value": 1 / 3, "low": 1e-7, "high": 1.0} for pk in reversed(ids)},
            agreement=0.1 + 0.2,
            rankings=2,
            made_at=NOON,
        )
    return campaign


def _judge(candidate_set, campaign, labeler, guideline, ids):
    from annotation.models import Assignment, Ranking

    purpose = "overlap" if labeler.username == "ada" else "adjudication"
    turn = Assignment.objects.create(
        candidate_set=candidate_set,
        campaign=campaign,
        purpose=purpose,
        slot=40 if purpose == "overlap" else None,
        status="SUBMITTED",
        labeler=labeler,
        shown_order=ids[::-1],
    )
    Ranking.objects.create(
        assignment=turn,
        labeler=labeler,
        guideline=guideline,
        tiers=[ids[:1], ids[1:2]],
        unacceptable=ids[2:],
        strength=2,
        # PostgreSQL puts the keys of JSON into an order of its own.
        ratings={str(ids[1]): {"zeal": 1, "a": 5}, str(ids[0]): {"a": 3}},
        flags={str(ids[2]): ["untrue", "rude"]},
        rationale="Weil.",
        edited={"text": "Boil it well.", "id": ids[0]},
        shown_order=ids[::-1],
        seconds_spent=9.1,
        idempotency_key=UUID(int=turn.pk),
        submitted_at=NOON,
    )


if __name__ == "__main__":
    main()
