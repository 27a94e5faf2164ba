from uuid import UUID

import pytest

from trainer.models import Run


@pytest.fixture
def start(client, rhea, frozen, base):
    client.force_login(rhea)

    def post(**changes):
        body = {
            "kind": "sft",
            "snapshot": frozen["demonstrations"].pk,
            "base": base.pk,
            "idempotency_key": str(UUID(int=1)),
            **changes,
        }
        return client.post("/api/runs", body, content_type="application/json")

    return post


class TestStartRun:
    def test_queues_a_run_for_whoever_asks(self, start, rhea):
        answer = start(config={"epochs": 2}, priority=3)

        run = Run.objects.get()
        assert (answer.status_code, answer.json()["id"]) == (201, run.pk)
        assert (run.config["epochs"], run.priority, run.created_by) == (2, 3, rhea)
        assert [event.kind for event in run.events.all()] == ["asked"]

    def test_sent_again_gives_the_same_run(self, start):
        assert start().json() == start().json()
        assert Run.objects.count() == 1

    def test_the_same_key_with_another_body_is_refused(self, start):
        start()

        answer = start(config={"epochs": 2})

        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")
        assert Run.objects.count() == 1

    def test_refuses_a_setting_that_is_none(self, start):
        assert start(config={"soup": 1}).json()["code"] == "invalid_config"

    def test_is_for_researchers(self, start, client, ada):
        client.force_login(ada)

        assert start().status_code == 403
