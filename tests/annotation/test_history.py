"""What people see of their own work, and of nobody else's."""

import random
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.actions.assignments import claim_assignments, return_overdue_assignments
from annotation.actions.candidates import add_candidate_set
from annotation.actions.demonstrations import claim_demonstration, submit_demonstration
from annotation.actions.gold import mark_gold
from annotation.actions.prompts import add_prompt
from annotation.actions.rankings import correct_ranking, submit_ranking
from annotation.actions.reviews import claim_review, review_demonstration
from annotation.models import Campaign, Review


@pytest.fixture
def client(ada):
    client = Client()
    client.force_login(ada)
    return client


@pytest.fixture
def garden(db):
    return Campaign.objects.create(name="Garden", demonstrations_per_prompt=5)


def grow(campaign, count, start=0):
    for place in range(start, start + count):
        messages = [{"role": "user", "content": f"Question {place}?"}]
        prompt, _ = add_prompt(campaign=campaign, messages=messages, language="en")
        add_candidate_set(prompt=prompt, texts=[f"Yes {place}.", f"No {place}."])


def rank(campaign, labeler, now, **changes):
    (assignment,) = claim_assignments(
        campaign=campaign, labeler=labeler, count=1, holding=[], now=now, rng=random.Random(0)
    )
    return hand_in(assignment, labeler, now, **changes)


def hand_in(assignment, labeler, now, action=submit_ranking, **changes):
    judged = {
        "tiers": [[pk] for pk in assignment.shown_order],
        "unacceptable": [],
        "cannot_judge": "",
        "seconds_spent": 8,
    }
    ranking, _ = action(
        assignment=assignment, labeler=labeler, now=now, idempotency_key=uuid4(), **{**judged, **changes}
    )
    return ranking


def write(campaign, labeler, now):
    demonstration = claim_demonstration(campaign=campaign, labeler=labeler)
    submit_demonstration(
        demonstration=demonstration,
        turns=[{"role": "assistant", "content": "Water it."}],
        seconds_spent=30,
        idempotency_key=uuid4(),
        now=now,
    )
    return demonstration


def review(campaign, reviewer, verdict, reason, now):
    demonstration = claim_review(campaign=campaign, reviewer=reviewer, now=now)
    said, _ = review_demonstration(
        demonstration=demonstration,
        reviewer=reviewer,
        verdict=verdict,
        reason=reason,
        revision=demonstration.revision,
        now=now,
    )
    return said


def pages(client, **filters):
    """All entries, page after page."""
    after = None
    while True:
        query = {**filters, **({"after": after} if after else {})}
        answer = client.get("/api/me/history", query).json()
        yield answer["entries"]
        after = answer["next"]
        if after is None:
            return


class TestHistory:
    def test_pages_through_both_kinds_latest_first_and_never_twice(self, client, ada, garden, monkeypatch):
        monkeypatch.setattr("annotation.api.history.PAGE", 7)
        now = timezone.now()
        grow(garden, 12)
        for place in range(12):
            # Many at the same moment, as after a time offline.
            rank(garden, ada, now - timedelta(minutes=place // 5))
            write(garden, ada, now - timedelta(minutes=place // 4))

        all_pages = list(pages(client))

        entries = [entry for page in all_pages for entry in page]
        times = [entry["submitted_at"] for entry in entries]
        assert [len(page) for page in all_pages] == [7, 7, 7, 3]
        assert times == sorted(times, reverse=True)
        assert len({(entry["kind"], entry["id"]) for entry in entries}) == 24

    def test_is_asked_in_as_many_queries_however_long_it_is(self, client, ada, garden):
        now = timezone.now()
        grow(garden, 7)
        counts = []
        for count in [1, 5]:
            for place in range(count):
                hand_in(rank(garden, ada, now).assignment, ada, now, correct_ranking)
                write(garden, ada, now - timedelta(minutes=place))
            with CaptureQueriesContext(connection) as asked:
                client.get("/api/me/history")
            counts.append(len(asked))

        assert counts[0] == counts[1] <= 6

    def test_shows_a_ranking_as_it_now_stands(self, client, ada, garden):
        grow(garden, 1)
        handed_in = timezone.now() - timedelta(hours=1)
        first = rank(garden, ada, handed_in)
        hand_in(first.assignment, ada, timezone.now(), correct_ranking, tiers=first.tiers[::-1])

        (entry,) = client.get("/api/me/history").json()["entries"]

        assert (entry["standing"], entry["revision"]) == ("CORRECTED", 2)
        assert entry["tiers"] == first.tiers[::-1]
        assert entry["shown_order"] == first.shown_order
        window = timedelta(minutes=garden.correction_minutes)
        until = entry["correctable_until"].replace("Z", "+00:00")
        assert until == (handed_in + window).isoformat()

    @pytest.mark.parametrize(
        "change", [{"correction_minutes": 0}, {"status": Campaign.Status.PAUSED}], ids=["none", "paused"]
    )
    def test_offers_no_correction_where_there_is_none(self, client, ada, garden, change):
        grow(garden, 1)
        ranking = rank(garden, ada, timezone.now())
        Campaign.objects.filter(pk=garden.pk).update(**change)

        (entry,) = client.get("/api/me/history").json()["entries"]
        one = client.get(f"/api/me/rankings/{ranking.assignment.key}").json()

        assert entry["correctable_until"] is one["correctable_until"] is None

    def test_says_what_came_too_late(self, client, ada, ben, garden):
        grow(garden, 1)
        now = timezone.now()
        (late,) = claim_assignments(
            campaign=garden,
            labeler=ada,
            count=1,
            holding=[],
            now=now - timedelta(hours=2),
            rng=random.Random(0),
        )
        return_overdue_assignments(now=now)
        rank(garden, ben, now)
        hand_in(late, ada, now, tiers=[[pk] for pk in late.shown_order])

        (entry,) = client.get("/api/me/history").json()["entries"]

        assert entry["standing"] == "SURPLUS"

    def test_is_filtered_by_campaign_kind_and_standing(self, client, ada, rosa, kitchen, garden):
        now = timezone.now()
        for campaign in (kitchen, garden):
            grow(campaign, 2, start=campaign.pk * 10)
            rank(campaign, ada, now)
            write(campaign, ada, now)
        review(garden, rosa, "RETURNED", "Say how much.", now)

        def found(**filters):
            return sorted(
                (entry["campaign_name"], entry["kind"], entry["standing"])
                for page in pages(client, **filters)
                for entry in page
            )

        assert found(campaign=kitchen.pk) == [
            ("Kitchen", "demonstration", "SUBMITTED"),
            ("Kitchen", "ranking", "SUBMITTED"),
        ]
        assert {kind for _, kind, _ in found(kind="ranking")} == {"ranking"}
        assert found(standing="RETURNED") == [("Garden", "demonstration", "RETURNED")]
        assert len(found(standing="SUBMITTED")) == 3
        assert found(standing="CORRECTED") == []

    @pytest.mark.parametrize(
        "query", ["after=x", "after=2026-11-24~ranking~1", "kind=gold", "standing=DRAFT", "campaign=abc"]
    )
    def test_refuses_what_it_does_not_know(self, client, query):
        assert client.get(f"/api/me/history?{query}").status_code == 400

    def test_is_nobody_elses(self, client, ben, rosa, garden):
        grow(garden, 1)
        ranking, demonstration = rank(garden, ben, timezone.now()), write(garden, ben, timezone.now())
        said = review(garden, rosa, "RETURNED", "Say how much.", timezone.now())

        read = client.post("/api/me/feedback/read", {"reviews": [said.pk]}, content_type="application/json")

        assert client.get("/api/me/history").json() == {"entries": [], "next": None}
        assert client.get(f"/api/me/rankings/{ranking.assignment.key}").status_code == 404
        assert client.get(f"/api/me/demonstrations/{demonstration.pk}").status_code == 404
        assert read.json() == {"unread": 0}
        assert Review.objects.get().read_at is None

    def test_needs_a_session(self, db):
        for path in ["history", "progress", f"rankings/{uuid4()}", "demonstrations/1"]:
            assert Client().get(f"/api/me/{path}").json()["code"] == "not_authenticated"


class TestGold:
    def test_looks_like_any_other_in_the_history(self, client, ada, garden):
        now = timezone.now()
        grow(garden, 2)
        rank(garden, ada, now)
        known = garden.prompts.last().candidate_sets.get()
        answer = list(known.completions.values_list("pk", flat=True))
        mark_gold(candidate_set=known, tiers=[[pk] for pk in answer], marked_by=None, now=now)
        gold = known.assignments.get()
        gold.claim(ada, now=now, lease=timedelta(minutes=5), shown_order=answer)
        assert hand_in(gold, ada, now).assignment.purpose == "gold"

        listed = client.get("/api/me/history").json()["entries"]
        opened = [client.get(f"/api/me/rankings/{entry['id']}").json() for entry in listed]

        own = {"id", "submitted_at", "excerpt", "shown_order", "tiers", "correctable_until"}
        rest = [{name: entry[name] for name in entry.keys() - own} for entry in listed]
        assert rest[0] == rest[1]
        assert shape(opened[0]) == shape(opened[1])
        assert "gold" not in str(listed) + str(opened)


class TestOwnRanking:
    def test_is_shown_as_it_was_shown(self, client, ada, garden):
        grow(garden, 1)
        ranking = rank(garden, ada, timezone.now(), rationale="Short.")

        shown = client.get(f"/api/me/rankings/{ranking.assignment.key}").json()

        assert [candidate["id"] for candidate in shown["assignment"]["candidates"]] == ranking.shown_order
        assert (shown["rationale"], shown["tiers"], shown["ranked_under"]) == ("Short.", ranking.tiers, 0)
        assert {key for candidate in shown["assignment"]["candidates"] for key in candidate} == {"id", "text"}


class TestFeedback:
    def test_is_unread_until_its_author_says_otherwise(self, client, ada, rosa, garden):
        grow(garden, 1)
        demonstration = write(garden, ada, timezone.now())
        said = review(garden, rosa, "RETURNED", "Say how much.", timezone.now())

        before = client.get("/api/me/progress").json()
        shown = client.get(f"/api/me/demonstrations/{demonstration.pk}").json()
        read = client.post("/api/me/feedback/read", {"reviews": [said.pk]}, content_type="application/json")
        first_read_at = Review.objects.get().read_at
        client.post("/api/me/feedback/read", {"reviews": [said.pk]}, content_type="application/json")

        assert [unread["reason"] for unread in before["feedback"]] == ["Say how much."]
        assert (shown["feedback"][0]["reason"], shown["feedback"][0]["read_at"]) == ("Say how much.", None)
        assert "rosa" not in str(before) + str(shown)
        assert read.json() == {"unread": 0}
        assert Review.objects.get().read_at == first_read_at is not None
        assert client.get("/api/me/progress").json()["feedback_unread"] == 0

    def test_is_read_once_the_editor_shows_it(self, client, ada, rosa, garden):
        grow(garden, 1)
        write(garden, ada, timezone.now())
        review(garden, rosa, "RETURNED", "Say how much.", timezone.now())

        editor = client.post(f"/api/campaigns/{garden.pk}/demonstrations").json()["demonstration"]

        assert editor["returned_because"] == "Say how much."
        assert Review.objects.get().read_at is not None


def shape(value):
    """What there is, whatever it says."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__
