"""What Prometheus reads, and who may."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from annotation.models import Campaign, Ranking
from tests.conftest import NOON
from trainer.models import Run, Snapshot

pytestmark = pytest.mark.django_db


def read(client, **headers):
    answer = client.get("/metrics", **headers)
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value for f in families for sample in f.samples
    }


class TestMetrics:
    def test_count_what_waits(self, client):
        campaign = Campaign.objects.create(name="Kitchen")
        snapshot = Snapshot.objects.create(
            campaign=campaign, kind="rankings", digest="d" * 64, rows=1, manifest={}, created_at=NOON
        )
        for kind in ("sft", "sft", "ppo"):
            Run.objects.create(campaign=campaign, kind=kind, snapshot=snapshot, created_at=NOON)

        counted = read(client)

        assert counted["rankwright_runs", "QUEUED", "sft"] == 2
        assert counted["rankwright_runs", "QUEUED", "ppo"] == 1
        assert counted["rankwright_oldest_queued_run_seconds",] > 0
        assert counted["rankwright_rankings_last_hour",] == Ranking.objects.count() == 0

    def test_count_what_the_web_answered(self, client):
        before = read(client).get(("django_http_responses_total_by_status_total", "200"), 0)
        client.get("/healthz")

        after = read(client)["django_http_responses_total_by_status_total", "200"]

        assert after == before + 2  # the first reading is one too

    def test_cost_the_same_at_any_size(self, client, django_assert_max_num_queries):
        with django_assert_max_num_queries(8):
            read(client)


class TestWhoMayReadThem:
    def test_is_this_machine_where_there_is_no_token(self, client):
        assert client.get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 404

    def test_is_nobody_behind_a_proxy_without_one(self, client, settings):
        settings.HTTPS = True

        assert client.get("/metrics").status_code == 404

    @pytest.mark.parametrize(("given", "status"), [("Bearer right", 200), ("Bearer wrong", 404), ("", 404)])
    def test_is_who_has_the_token(self, client, settings, given, status):
        settings.METRICS_TOKEN = "right"

        assert client.get("/metrics", headers={"authorization": given}).status_code == status
