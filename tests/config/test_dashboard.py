"""The admin's first page."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from annotation.models import Campaign, Person, Prompt, Ranking
from config.dashboard import decisions, labelling, training
from tests.annotation.test_submit_ranking import submit
from trainer.actions.nodes import note_sweep
from trainer.models import Node, Run, Snapshot


@pytest.fixture(autouse=True)
def forgetful():
    cache.clear()


@pytest.fixture
def rhea(db):
    return Person.objects.create_superuser("rhea", password="correct horse", role=Person.Role.RESEARCHER)


@pytest.fixture
def page(rhea):
    client = Client()
    client.force_login(rhea)
    return client


@pytest.fixture
def kitchen(db):
    return Campaign.objects.create(name="Kitchen <b>")


def run(kitchen, **more):
    snapshot, _ = Snapshot.objects.get_or_create(
        digest="d" * 64,
        defaults={
            "campaign": kitchen,
            "kind": "demonstrations",
            "rows": 1,
            "manifest": {},
            "created_at": timezone.now(),
        },
    )
    return Run.objects.create(
        campaign=kitchen, kind="sft", snapshot=snapshot, created_at=timezone.now(), **more
    )


class TestTheHome:
    def test_shows_every_part_and_nothing_of_a_name_as_markup(self, page, kitchen):
        now = timezone.now()
        run(
            kitchen,
            status="RUNNING",
            lease_expires_at=now + timedelta(minutes=1),
            step=3,
            steps=12,
            started_at=now,
        )

        shown = page.get("/admin/").content.decode()

        for heading in ("Needs a decision", "Being labelled", "In training", "Nodes"):
            assert heading in shown
        assert "3 / 12 (25 %)" in shown
        assert "Kitchen &lt;b&gt;" in shown
        assert "No worker is there for the queue" in shown

    def test_asks_the_database_as_often_for_many_campaigns_as_for_one(
        self, page, kitchen, django_assert_max_num_queries
    ):
        for number in range(12):
            Campaign.objects.create(name=f"Campaign {number}")

        with django_assert_max_num_queries(40):
            page.get("/admin/")

    def test_is_quiet_about_workers_that_are_there(self, page, kitchen):
        Node.see("gpu@here", now=timezone.now(), queue="gpu", host="here", pid=1)

        shown = page.get("/admin/").content.decode()

        assert "No worker is there" not in shown
        assert "gpu@here" in shown

    def test_says_loudly_what_stands_still(self, page, kitchen, monkeypatch):
        monkeypatch.setattr("config.dashboard.broker_state", lambda: "OperationalError")

        shown = page.get("/admin/").content.decode()

        assert "The broker is away (OperationalError)" in shown
        assert "Nothing is swept" in shown

    def test_says_calmly_that_all_is_there(self, page, kitchen, monkeypatch):
        monkeypatch.setattr("config.dashboard.broker_state", lambda: "ok")
        Node.see("gpu@here", now=timezone.now(), queue="gpu", host="here", pid=1)
        note_sweep(now=timezone.now())

        shown = page.get("/admin/").content.decode()

        assert "all there" in shown
        assert "home-alarm" not in shown

    def test_is_for_whoever_may_enter_the_admin(self, db):
        assert Client().get("/admin/").status_code == 302


class TestLabelling:
    def test_counts_days_the_last_hour_and_what_is_left(self, kitchen, claimed_in):
        for hours in (0, 5, 30):
            claimed_in(kitchen, ago=timedelta(hours=hours))

        (found,) = labelling(timezone.localtime())

        assert sum(count for _day, count, _height in found.days) == 3
        assert found.last_hour == 1
        assert found.left == 0
        assert found.ready is None

    @pytest.fixture
    def claimed_in(self):
        import random

        from annotation.actions.assignments import claim_assignments
        from annotation.actions.candidates import add_candidate_set
        from annotation.actions.prompts import add_prompt

        ada = Person.objects.create_user("ada")

        def rank(campaign, ago):
            asked = [{"role": "user", "content": f"Question {ago}"}]
            prompt, _ = add_prompt(campaign=campaign, messages=asked)
            add_candidate_set(prompt=prompt, texts=["one", "two"])
            (assignment,) = claim_assignments(
                campaign=campaign, labeler=ada, count=1, holding=[], now=timezone.now(), rng=random.Random(0)
            )
            submit(assignment, ada)
            latest = Ranking.objects.order_by("-pk").first()
            Ranking.objects.filter(pk=latest.pk).update(submitted_at=timezone.now() - ago)

        return rank


class TestTraining:
    def test_says_when_a_run_will_be_done(self, kitchen):
        now = timezone.now()
        run(
            kitchen,
            status="RUNNING",
            lease_expires_at=now,
            step=25,
            steps=100,
            started_at=now - timedelta(minutes=10),
        )

        (one,) = training(now)

        assert one.ready - now == timedelta(minutes=30)
        assert one.percent == 25


class TestDecisions:
    def test_are_nothing_where_nothing_waits(self, db):
        assert list(decisions(timezone.now())) == []

    def test_lead_to_where_they_are_taken(self, page, kitchen):
        Prompt.objects.create(
            campaign=kitchen, messages=[{"role": "user", "content": "Me"}], status="HELD", digest="x"
        )
        run(kitchen, status="FAILED", failure="It broke.", finished_at=timezone.now())

        found = {decision.words: decision.url for decision in decisions(timezone.now())}

        assert set(found) == {
            "1 prompt may hold personal data",
            "1 run failed since yesterday",
            "1 campaign has no guideline",
        }
        assert all(page.get(url).status_code == 200 for url in found.values())
