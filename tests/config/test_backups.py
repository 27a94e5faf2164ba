"""What was backed up comes back, byte for byte, on both databases."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from django.core import serializers
from django.db import connection

from annotation.models import Campaign, Person
from config.backups import BackupRefused, check_backup, make_backup
from tests.conftest import NOON
from tests.postgres import PACKAGE, SERVER

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def server_programs(monkeypatch):
    """pg_dump and pg_restore of the tests' own server."""
    monkeypatch.setenv("PATH", f"{PACKAGE.parent / SERVER / 'bin'}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def place(settings):
    """A place with a person, a campaign and a frozen file."""
    Person.objects.create_user("ada", password="correct horse")
    Campaign.objects.create(name="Küche 厨房")
    frozen = settings.SNAPSHOTS_ROOT / "1" / "rankings.parquet"
    frozen.parent.mkdir(parents=True)
    frozen.write_bytes(bytes(range(256)) * 100)
    return frozen


@pytest.fixture
def elsewhere(tmp_path):
    """An empty place: the environment of its commands."""
    environment = {**os.environ, "RANKWRIGHT_VAR": str(tmp_path / "elsewhere")}
    if connection.vendor == "sqlite":
        yield environment
        return
    told = connection.settings_dict
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE elsewhere TEMPLATE template0")
    address = f"postgres://{told['USER']}@/elsewhere?host={told['HOST']}"
    yield {**environment, "RANKWRIGHT_DATABASE_URL": address}
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE elsewhere WITH (FORCE)")


def manage(environment, *arguments):
    command = [sys.executable, "manage.py", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def asked(environment, statement):
    address = environment.get("RANKWRIGHT_DATABASE_URL")
    file = Path(environment["RANKWRIGHT_VAR"]) / "rankwright.sqlite3"
    with closing(psycopg.connect(address) if address else sqlite3.connect(file)) as place:
        answer = place.execute(statement)
        rows = answer.fetchall() if answer.description else []
        place.commit()
    return rows


def told(queryset):
    return serializers.serialize("json", queryset.order_by("pk"))


class TestABackup:
    def test_brings_everything_back_elsewhere(self, place, tmp_path, elsewhere):
        make_backup(tmp_path / "backup", now=NOON)

        restored = manage(elsewhere, "restore", tmp_path / "backup")
        dumped = manage(elsewhere, "dumpdata", "annotation.person", "annotation.campaign")

        assert restored.returncode == 0, restored.stderr
        assert json.loads(dumped.stdout) == [
            *json.loads(told(Person.objects.all())),
            *json.loads(told(Campaign.objects.all())),
        ]
        copied = tmp_path / "elsewhere" / "snapshots" / "1" / "rankings.parquet"
        assert copied.read_bytes() == place.read_bytes()

    def test_is_not_restored_over_data(self, place, tmp_path, elsewhere):
        make_backup(tmp_path / "backup", now=NOON)
        manage(elsewhere, "restore", tmp_path / "backup")

        again = manage(elsewhere, "restore", tmp_path / "backup")
        meant = manage(elsewhere, "restore", "--replace", tmp_path / "backup")

        assert (again.returncode, meant.returncode) == (1, 0), meant.stderr
        assert "--replace" in again.stderr

    def test_of_an_earlier_version_replaces_all_of_a_later_one(self, place, tmp_path, elsewhere):
        manifest = make_backup(tmp_path / "backup", now=NOON)
        manage(elsewhere, "restore", tmp_path / "backup")
        asked(elsewhere, "CREATE TABLE later (who bigint REFERENCES annotation_person (id))")
        del manifest["rows"]["annotation_chat"]
        (tmp_path / "backup" / "manifest.json").write_text(json.dumps(manifest))

        restored = manage(elsewhere, "restore", "--replace", tmp_path / "backup")

        assert restored.returncode == 0, restored.stderr
        assert asked(elsewhere, "SELECT username FROM annotation_person") == [("ada",)]
        with pytest.raises((sqlite3.Error, psycopg.Error), match="later"):
            asked(elsewhere, "SELECT * FROM later")

    def test_that_was_cut_off_is_none(self, place, tmp_path, monkeypatch):
        monkeypatch.setattr(shutil, "copyfile", lambda *_: (_ for _ in ()).throw(OSError("No space left")))

        with pytest.raises(OSError, match="No space"):
            make_backup(tmp_path / "backup", now=NOON)

        assert not (tmp_path / "backup").exists()

    def test_is_never_written_over_another(self, place, tmp_path):
        (tmp_path / "backup").mkdir()

        with pytest.raises(BackupRefused, match="there already"):
            make_backup(tmp_path / "backup", now=NOON)

    def test_says_who_cannot_write_there(self, tmp_path):
        (tmp_path / "backups").write_text("a file stands where the folder should be")

        with pytest.raises(BackupRefused, match=f"User {os.getuid()} cannot make .*: Not a directory"):
            make_backup(tmp_path / "backups" / "today", now=NOON)

    def test_holds_no_secret(self, place, settings, tmp_path):
        (settings.VAR / "secret_key").write_text("s3cret-k3y")

        make_backup(tmp_path / "backup", now=NOON)

        files = [path for path in (tmp_path / "backup").rglob("*") if path.is_file()]
        assert files
        assert not any(b"s3cret-k3y" in path.read_bytes() for path in files)


class TestACheck:
    @pytest.mark.parametrize("name", ["database", "snapshots/1/rankings.parquet"])
    def test_finds_a_flipped_byte_and_a_missing_file(self, place, tmp_path, name):
        make_backup(tmp_path / "backup", now=NOON)
        file = tmp_path / "backup" / name
        whole = file.read_bytes()

        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(BackupRefused, match="not as it was"):
            check_backup(tmp_path / "backup")
        file.unlink()
        with pytest.raises(BackupRefused, match="missing"):
            check_backup(tmp_path / "backup")

    def test_refuses_what_is_no_backup(self, tmp_path):
        with pytest.raises(BackupRefused, match="no complete backup"):
            check_backup(tmp_path)
