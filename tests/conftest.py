import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import SimpleTestCase
from django.utils import translation
from hypothesis import settings as hypothesis_settings

# Playwright's loop runs in the test's thread; Django would take its own tests for async code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# There are as many workers as cores: more threads would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A busy machine is no failure.
hypothesis_settings.register_profile("no deadline", deadline=None)
hypothesis_settings.load_profile("no deadline")

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def pytest_collection_modifyitems(config, items):
    """On PostgreSQL (``python -m tests.postgres``) only what touches the database runs once more."""
    if not os.environ.get("RANKWRIGHT_DATABASE_URL"):
        return
    touching = [item for item in items if touches_the_database(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in touching])
    items[:] = touching


def touches_the_database(item):
    asks = {"db", "transactional_db"} & set(item.fixturenames) or item.get_closest_marker("django_db")
    return bool(asks) or issubclass(item.cls or object, SimpleTestCase)


@pytest.fixture(autouse=True)
def in_english():
    """Whatever language a browser asked for in the test before."""
    with translation.override("en"):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory, django_db_modify_db_settings_parallel_suffix):
    """SQLite in a file, as people have it: in memory all threads share one cache, which waits for nobody."""
    default = django_settings.DATABASES["default"]
    if default["ENGINE"].endswith("sqlite3"):
        default["TEST"] = {
            **default.get("TEST", {}),
            "NAME": tmp_path_factory.mktemp("database") / "tests.sqlite3",
        }


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    """No test writes into the product's own var/."""
    settings.VAR = tmp_path
    # The real hasher is slow on purpose.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.SNAPSHOTS_ROOT = tmp_path / "snapshots"
    settings.EXPORTS_ROOT = tmp_path / "exports"
    settings.IMPORTS_ROOT = tmp_path / "imports"
    settings.RUNS_ROOT = tmp_path / "runs"
    settings.MODELS_ROOT = tmp_path / "models"


@pytest.fixture
def development_data():
    """A folder with real data sets, which are no part of the project."""
    folder = os.environ.get("RANKWRIGHT_DEVELOPMENT_DATA")
    if not folder:
        pytest.skip("RANKWRIGHT_DEVELOPMENT_DATA names no folder with the real data sets")
    return Path(folder)
