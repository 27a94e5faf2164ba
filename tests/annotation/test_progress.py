"""How far somebody has got, as they see it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.actions.consents import publish_consent_text
from annotation.actions.demonstrations import claim_demonstration, save_draft
from annotation.actions.progress import progress_of
from annotation.models import Assignment, Campaign, Pause, Person, RankingDraft
from tests.annotation.test_history import garden, grow, rank, review, write  # noqa: F401

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def client(ada):
    client = Client()
    client.force_login(ada)
    return client


class TestProgress:
    def test_counts_seven_days_of_ones_own(self, ada, ben, garden):  # noqa: F811
        grow(garden, 6)
        for days_ago in [0, 0, 1, 6, 7]:
            rank(garden, ada, NOON - timedelta(days=days_ago))
        write(garden, ada, NOON)
        rank(garden, ben, NOON)

        days = progress_of(ada, now=NOON).days

        assert [day.rankings for day in days] == [1, 0, 0, 0, 0, 1, 2]
        assert [day.demonstrations for day in days] == [0, 0, 0, 0, 0, 0, 1]
        assert days[-1].date == NOON.date()

    def test_begins_a_day_at_midnight_of_whoever_asks(self, ada, garden):  # noqa: F811
        grow(garden, 1)
        rank(garden, ada, NOON - timedelta(hours=18))  # 18:00 in London, 2:00 the next day in Shanghai.

        london, shanghai = (
            progress_of(ada, now=NOON.astimezone(ZoneInfo(zone))).days[-1].rankings
            for zone in ["Europe/London", "Asia/Shanghai"]
        )

        assert (london, shanghai) == (0, 1)

    def test_counts_every_hour_once_when_clocks_are_changed(self, ada, garden):  # noqa: F811
        # In Berlin the 25th of October 2026 had 25 hours.
        now = datetime(2026, 10, 27, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))
        grow(garden, 4)
        for moment in ["24T21:59", "24T22:00", "25T22:59", "25T23:00"]:
            rank(garden, ada, datetime.fromisoformat(f"2026-10-{moment}+00:00"))

        days = {day.date.day: day.rankings for day in progress_of(ada, now=now).days}

        assert (days[24], days[25], days[26]) == (1, 2, 1)

    def test_tells_the_pace_of_the_last_twenty(self, ada, garden):  # noqa: F811
        grow(garden, 21)
        assert progress_of(ada, now=NOON).ranking_seconds is None
        rank(garden, ada, NOON - timedelta(hours=1), seconds_spent=9999)
        for seconds in range(20):
            rank(garden, ada, NOON, seconds_spent=seconds)

        assert progress_of(ada, now=NOON).ranking_seconds == 9.5

    def test_tells_what_lies_unfinished_and_where(self, client, ada, garden, kitchen, soup, claimed):  # noqa: F811
        grow(garden, 2)
        begun = claim_demonstration(campaign=garden, labeler=ada)
        save_draft(demonstration=begun, turns=[{"role": "assistant", "content": "Wat"}], revision=0)
        empty = claim_demonstration(campaign=kitchen, labeler=ada)
        save_draft(demonstration=empty, turns=[{"role": "assistant", "content": " "}], revision=0)
        RankingDraft.objects.create(assignment=claimed, labeler=ada, content={}, saved_at=NOON)

        unfinished = client.get("/api/me/progress").json()["unfinished"]

        assert [(one["kind"], one["campaign_name"], one["excerpt"]) for one in unfinished] == [
            ("demonstration", "Garden", "Question 0?"),
            ("ranking", "Kitchen", "How do I make soup?"),
        ]

    def test_forgets_the_draft_of_a_lease_that_somebody_else_has(self, ada, ben, claimed):
        RankingDraft.objects.create(assignment=claimed, labeler=ada, content={}, saved_at=NOON)
        Assignment.objects.update(labeler=ben)

        assert progress_of(ada, now=NOON).unfinished == []
        assert progress_of(ben, now=NOON).unfinished == []

    @pytest.mark.parametrize(("kept", "goal"), [({"daily_goal": 40}, 40), ({}, 0), ({"daily_goal": "x"}, 0)])
    def test_has_the_goal_that_one_gave_oneself(self, client, ada, kept, goal):
        Person.objects.filter(pk=ada.pk).update(preferences=kept)

        assert client.get("/api/me/progress").json()["daily_goal"] == goal

    @pytest.mark.parametrize(
        "zone", ["Asia/Shanghai", "", "Nowhere/At_All", "America", "../etc/passwd", "\0"]
    )
    def test_takes_any_name_for_a_time_zone(self, client, zone):
        for path in ["/api/me/progress", "/api/campaigns"]:
            assert client.get(path, {"time_zone": zone}).status_code == 200

    def test_asks_as_many_queries_however_much_there_is(self, ada, rosa, garden):  # noqa: F811
        grow(garden, 12)
        counts = []
        for count in [1, 5]:
            for _ in range(count):
                rank(garden, ada, NOON)
                write(garden, ada, NOON)
                review(garden, rosa, "ACCEPTED", "", NOON)
            with CaptureQueriesContext(connection) as asked:
                progress_of(ada, now=NOON)
            counts.append(len(asked))

        assert counts == [8, 8]

    def test_reads_only_the_labelers_own_rows(self, ada, garden):  # noqa: F811
        # As the database plans it, whatever the size: no scan of a table that everybody writes to.
        with CaptureQueriesContext(connection) as asked:
            progress_of(ada, now=NOON)

        for query in asked.captured_queries:
            for step in plan_of(query["sql"]):
                assert "scan" not in step.lower().replace("scan using", ""), (step, query["sql"])


class TestObstacle:
    def obstacle(self, client):
        return client.get("/api/campaigns").json()[0]["obstacle"]

    def test_is_none_where_work_waits_or_all_is_done(self, client, ada, garden):  # noqa: F811
        grow(garden, 1)
        assert self.obstacle(client) == "NONE"
        rank(garden, ada, timezone.now())
        assert self.obstacle(client) == "NONE"

    def test_is_the_campaign_that_is_paused(self, client, garden):  # noqa: F811
        Campaign.objects.update(status=Campaign.Status.PAUSED)

        assert self.obstacle(client) == "CAMPAIGN_PAUSED"

    def test_is_a_text_to_agree_to(self, client, garden):  # noqa: F811
        publish_consent_text(campaign=garden, text="We keep it.", now=NOON)

        assert self.obstacle(client) == "CONSENT_NEEDED"

    def test_is_a_pause_of_ones_own(self, client, ada, garden):  # noqa: F811
        Pause.objects.create(campaign=garden, labeler=ada, reason="", paused_at=NOON)

        assert self.obstacle(client) == "LABELER_PAUSED"

    def test_is_the_language_of_what_waits(self, client, ada, garden):  # noqa: F811
        grow(garden, 1)
        Person.objects.filter(pk=ada.pk).update(languages=["zh"])

        assert self.obstacle(client) == "OTHER_LANGUAGES"

    def test_is_a_skill_that_what_waits_asks_for(self, client, garden):  # noqa: F811
        grow(garden, 1)
        Assignment.objects.update(skill="law")

        assert self.obstacle(client) == "OTHER_SKILLS"


def plan_of(sql):
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            pytest.skip("Other databases plan by what is in the tables, and here there is nothing.")
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return [row[3] for row in cursor.fetchall()]
