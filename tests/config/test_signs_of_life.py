import pytest

from tests.config.processes import free_port


class TestHealthz:
    def test_answers_without_a_broker_and_a_database(self, client):
        assert client.get("/healthz").json() == {"status": "ok"}


class TestReadyz:
    @pytest.mark.django_db
    def test_names_the_part_that_is_missing(self, client, settings):
        settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{free_port()}/0"

        answer = client.get("/readyz")

        assert answer.status_code == 503
        assert answer.json()["database"] == "ok"
        assert answer.json()["broker"] != "ok"
        assert answer.json()["workers"] == "unknown without the broker"
