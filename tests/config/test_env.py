import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env


class TestBoolean:
    @pytest.mark.parametrize(("said", "means"), [("1", True), ("Yes", True), ("false", False), ("0", False)])
    def test_reads_the_usual_words(self, monkeypatch, said, means):
        monkeypatch.setenv("RANKWRIGHT_DEBUG", said)

        assert env.boolean("RANKWRIGHT_DEBUG", not means) is means

    def test_refuses_other_words(self, monkeypatch):
        monkeypatch.setenv("RANKWRIGHT_DEBUG", "maybe")

        with pytest.raises(ImproperlyConfigured, match="RANKWRIGHT_DEBUG is 'maybe'"):
            env.boolean("RANKWRIGHT_DEBUG", False)


class TestWords:
    def test_splits_at_commas_and_drops_blanks(self, monkeypatch):
        monkeypatch.setenv("RANKWRIGHT_ALLOWED_HOSTS", "a.example, b.example,")

        assert env.words("RANKWRIGHT_ALLOWED_HOSTS", []) == ["a.example", "b.example"]


class TestSecret:
    def test_is_made_once_and_readable_by_us_only(self, monkeypatch, tmp_path):
        monkeypatch.delenv("RANKWRIGHT_SECRET_KEY", raising=False)
        kept_in = tmp_path / "new" / "secret_key"

        first = env.secret("RANKWRIGHT_SECRET_KEY", kept_in)

        assert env.secret("RANKWRIGHT_SECRET_KEY", kept_in) == first
        assert len(first) >= 50
        assert stat.S_IMODE(kept_in.stat().st_mode) == 0o600
        assert list(kept_in.parent.iterdir()) == [kept_in]

    def test_given_by_the_operator_is_not_written_anywhere(self, monkeypatch, tmp_path):
        monkeypatch.setenv("RANKWRIGHT_SECRET_KEY", "from the operator")

        assert env.secret("RANKWRIGHT_SECRET_KEY", tmp_path / "secret_key") == "from the operator"
        assert not list(tmp_path.iterdir())


class TestDatabase:
    def test_is_reached_by_its_socket_where_the_address_has_a_folder(self, monkeypatch):
        monkeypatch.setenv("RANKWRIGHT_DATABASE_URL", "postgres://me:p%40ss@/kitchen?host=%2Frun%2FPg")

        settings = env.database("RANKWRIGHT_DATABASE_URL", Path("unused"))

        assert (settings["HOST"], settings["NAME"], settings["PASSWORD"]) == ("/run/Pg", "kitchen", "p@ss")

    def test_is_sqlite_unless_an_address_is_given(self, monkeypatch):
        monkeypatch.delenv("RANKWRIGHT_DATABASE_URL", raising=False)

        database = env.database("RANKWRIGHT_DATABASE_URL", Path("here.sqlite3"))

        assert database["NAME"] == Path("here.sqlite3")
        assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"

    def test_reads_an_address_with_quoted_characters(self, monkeypatch):
        monkeypatch.setenv("RANKWRIGHT_DATABASE_URL", "postgres://ada:p%40ss@db.example:5433/rank")

        database = env.database("RANKWRIGHT_DATABASE_URL", Path("unused"))

        parts = {name: database[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")}
        assert parts == {
            "USER": "ada",
            "PASSWORD": "p@ss",
            "HOST": "db.example",
            "PORT": 5433,
            "NAME": "rank",
        }

    def test_refuses_another_kind(self, monkeypatch):
        monkeypatch.setenv("RANKWRIGHT_DATABASE_URL", "mysql://db.example/rank")

        with pytest.raises(ImproperlyConfigured, match="must start with postgres://"):
            env.database("RANKWRIGHT_DATABASE_URL", Path("unused"))
