"""What ``manage.py check --deploy`` refuses beside Django's own list. The images run it before they serve."""

from typing import Any
from urllib.parse import urlparse

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

_LOCAL = {"localhost", "127.0.0.1", "[::1]"}


@register(Tags.security, deploy=True)
def check_deployment(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Every way to run the place open to the world that Django does not know of."""
    return [*_hosts(), *_database(), *_broker()]


def _hosts() -> list[CheckMessage]:
    if "*" in settings.ALLOWED_HOSTS:
        words = "RANKWRIGHT_ALLOWED_HOSTS is *: anybody's domain may then pose as this server."
        return [Error(words, hint="Name the domain.", id="rankwright.E001")]
    if set(settings.ALLOWED_HOSTS) <= _LOCAL:
        words = "RANKWRIGHT_ALLOWED_HOSTS names no domain, so nobody but this machine is answered."
        return [Error(words, id="rankwright.E002")]
    return []


def _database() -> list[CheckMessage]:
    database = settings.DATABASES["default"]
    is_remote = database["ENGINE"].endswith("postgresql") and not str(database["HOST"]).startswith("/")
    if is_remote and not database["PASSWORD"]:
        words = "RANKWRIGHT_DATABASE_URL has no password."
        return [Error(words, id="rankwright.E003")]
    return []


def _broker() -> list[CheckMessage]:
    address = urlparse(settings.CELERY_BROKER_URL)
    if address.scheme in {"redis", "rediss"} and address.hostname not in _LOCAL and not address.password:
        words = "RANKWRIGHT_BROKER_URL has no password: whoever reaches the broker commands the GPU workers."
        return [Error(words, id="rankwright.E004")]
    return []
