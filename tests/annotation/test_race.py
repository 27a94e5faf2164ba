"""Several web processes with several connections each, at the same slots at the same moment."""

import os
import sqlite3
import subprocess
import sys
from urllib.parse import quote

import pytest
from django.db import connection

from annotation.actions.candidates import add_candidate_set
from annotation.models import Campaign, Person
from tests.databases import copy_sqlite

OVERLAP, SETS = 2, 30
PROCESSES = [["ada", "ben", "chen"], ["dora", "emil", "ada"]]
"""Ada works in both: four tabs of hers hurry."""


@pytest.fixture
def shared(transactional_db, tmp_path):
    """What other processes need to see this test's rows, and a way to ask for them afterwards."""
    yield Shared(tmp_path)


class Shared:
    def __init__(self, folder):
        self.file = folder / "rankwright.sqlite3"
        self.is_sqlite = connection.vendor == "sqlite"

    def environment(self):
        if not self.is_sqlite:
            host, name = connection.settings_dict["HOST"], connection.settings_dict["NAME"]
            user, password = connection.settings_dict["USER"], connection.settings_dict["PASSWORD"]
            place = f"/{name}?host={quote(host)}" if host.startswith("/") else f"{host}/{name}"
            return {"RANKWRIGHT_DATABASE_URL": f"postgres://{quote(user)}:{quote(password)}@{place}"}
        copy_sqlite(self.file)
        return {"RANKWRIGHT_VAR": str(self.file.parent)}

    def rows(self, sql):
        if not self.is_sqlite:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall()
        with sqlite3.connect(self.file) as stored:
            return stored.execute(sql).fetchall()


@pytest.fixture
def kitchen(transactional_db):
    return Campaign.objects.create(name="Kitchen", overlap=OVERLAP)


class TestARace:
    def test_ends_with_exactly_k_of_each_and_nobody_sees_a_lock(self, shared, kitchen):
        for name in {"fay", "gus", *(name for names in PROCESSES for name in names)}:
            Person.objects.create_user(name)
        prompt = kitchen.prompts.create(messages=[{"role": "user", "content": "Soup?"}], digest="soup")
        for _ in range(SETS):
            add_candidate_set(prompt=prompt, texts=["Yes.", "No."])
        environment = {**os.environ, **shared.environment()}

        race(environment, [[str(kitchen.pk), "2", *names] for names in PROCESSES])
        # What one of them skipped when all others had gone home.
        race(environment, [[str(kitchen.pk), "0", "fay", "gus"]])

        assert shared.rows(COUNTED) == [(SETS * OVERLAP,)]
        assert shared.rows(BEYOND_K) == []
        assert shared.rows(TWICE) == []
        assert shared.rows(WITHOUT_A_RANKING) == []


def race(environment, processes):
    command = [sys.executable, "-m", "tests.annotation.racing"]
    racers = [
        subprocess.Popen(
            [*command, *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for arguments in processes
    ]
    said = [racer.communicate(timeout=300) for racer in racers]

    assert [out.strip() for out, _err in said] == ["" for _ in racers], said
    assert [racer.returncode for racer in racers] == [0 for _ in racers], said


COUNTED = """
    SELECT count(*) FROM annotation_ranking r JOIN annotation_assignment a ON a.id = r.assignment_id
    WHERE a.purpose = 'overlap'
"""
BEYOND_K = f"""
    SELECT a.candidate_set_id FROM annotation_ranking r JOIN annotation_assignment a ON a.id = r.assignment_id
    WHERE a.purpose = 'overlap' GROUP BY a.candidate_set_id HAVING count(*) > {OVERLAP}
"""
TWICE = """
    SELECT a.candidate_set_id FROM annotation_ranking r JOIN annotation_assignment a ON a.id = r.assignment_id
    GROUP BY a.candidate_set_id, r.labeler_id HAVING count(*) > 1
"""
WITHOUT_A_RANKING = """
    SELECT a.id FROM annotation_assignment a LEFT JOIN annotation_ranking r ON a.id = r.assignment_id
    WHERE a.status = 'SUBMITTED' AND r.id IS NULL
"""
