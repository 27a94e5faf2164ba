"""What is refused before anybody can reach the server."""

from types import SimpleNamespace

import pytest

from config.checks import check_deployment


@pytest.fixture
def deployed(monkeypatch):
    """As docker-compose.yml sets it up."""
    database = {"ENGINE": "django.db.backends.postgresql", "HOST": "db", "PASSWORD": "long and random"}
    settings = SimpleNamespace(
        ALLOWED_HOSTS=["labels.example.org", "127.0.0.1"],
        DATABASES={"default": database},
        CELERY_BROKER_URL="redis://:long-and-random@redis:6379/0",
    )
    monkeypatch.setattr("config.checks.settings", settings)
    return settings


def ids():
    return [error.id for error in check_deployment(None)]


class TestADeployment:
    def test_as_composed_is_fine(self, deployed):
        assert ids() == []

    def test_may_not_answer_to_every_name(self, deployed):
        deployed.ALLOWED_HOSTS = ["*"]

        assert ids() == ["rankwright.E001"]

    def test_must_name_its_domain(self, deployed):
        deployed.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]

        assert ids() == ["rankwright.E002"]

    def test_needs_a_password_for_its_database(self, deployed):
        deployed.DATABASES["default"]["PASSWORD"] = ""

        assert ids() == ["rankwright.E003"]

    def test_needs_none_for_a_socket_of_this_machine(self, deployed):
        deployed.DATABASES["default"].update(PASSWORD="", HOST="/run/postgresql")
        deployed.CELERY_BROKER_URL = "redis+socket:///run/valkey.sock"

        assert ids() == []

    def test_needs_a_password_for_its_broker(self, deployed):
        deployed.CELERY_BROKER_URL = "redis://redis:6379/0"

        assert ids() == ["rankwright.E004"]
