"""A campaign that twelve labelers of known worth ranked 150 sets of, over five weeks."""

from datetime import timedelta
from uuid import uuid4

from annotation.actions.candidates import add_candidate_set
from annotation.actions.prompts import add_prompt
from annotation.models import Campaign, Person, Ranking
from tests.annotation.ballots import crowd
from tests.conftest import NOON


def hold_fair():
    campaign = Campaign.objects.create(name="Fair", overlap=3, rating_axes=["helpfulness"])
    people = [Person.objects.create_user(f"labeler-{number}") for number in range(12)]
    for number, judged in enumerate(crowd(5, labelers=12, sets=150, spammers=1).candidate_sets):
        prompt, _ = add_prompt(
            campaign=campaign,
            messages=[{"role": "user", "content": f"Question {number}"}],
            kind=["poem", "sum"][number % 2],
        )
        texts = ["Long " * place for place in range(1, 5)]
        candidate_set = add_candidate_set(prompt=prompt, texts=texts)
        ids = sorted(candidate_set.completions.values_list("pk", flat=True))
        turns = candidate_set.assignments.order_by("slot")
        for turn, (who, ballot) in zip(turns, judged, strict=True):
            rank(turn, people[who], ids, ballot, NOON + timedelta(hours=6 * number))
    return campaign


def rank(turn, labeler, ids, ballot, moment):
    turn.labeler, turn.status = labeler, "SUBMITTED"
    turn.save()
    return Ranking.objects.create(
        assignment=turn,
        labeler=labeler,
        tiers=[[ids[place] for place in tier] for tier in ballot.tiers],
        ratings={str(pk): {"helpfulness": 1 + place} for place, pk in enumerate(ids)},
        shown_order=ids,
        seconds_spent=40,
        idempotency_key=uuid4(),
        submitted_at=moment,
    )
