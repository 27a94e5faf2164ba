"""Several processes find at the same moment that everybody who was asked has ranked a set."""

import os
import sqlite3
import subprocess
import sys

import pytest
from django.db import connection

from annotation.actions.candidates import add_candidate_set
from annotation.models import Assignment, Campaign, Person
from tests.annotation.ballots import Ballot
from tests.annotation.fair import rank
from tests.conftest import NOON
from tests.databases import copy_sqlite

PROCESSES, SETS = 3, 30
LOOK_AGAIN = """
import django; django.setup()
from django.utils import timezone
from annotation.actions.quality import look_again
from annotation.models import CandidateSet
print("ready", flush=True)
input()
for candidate_set in CandidateSet.objects.order_by("pk"):
    look_again(candidate_set=candidate_set, now=timezone.now())
"""
ORDERS = [Ballot([[0], [1], [2]]), Ballot([[2], [1], [0]])]


@pytest.fixture
def disputed(transactional_db):
    """Sets that two labelers rank the opposite way; whoever looks first is to ask somebody else, once."""
    if connection.vendor != "sqlite":
        pytest.skip("copies SQLite's file")
    campaign = Campaign.objects.create(name="Kitchen", overlap=2)
    people = [Person.objects.create_user(name) for name in ("ada", "ben")]
    prompt = campaign.prompts.create(messages=[{"role": "user", "content": "Soup?"}], digest="soup")
    for number in range(SETS):
        candidate_set = add_candidate_set(prompt=prompt, texts=[f"Boil {number}.", "Fry it.", "Bake it."])
        ids = sorted(candidate_set.completions.values_list("pk", flat=True))
        turns = candidate_set.assignments.order_by("slot")
        for turn, person, order in zip(turns, people, ORDERS, strict=True):
            rank(turn, person, ids, order, NOON)
    return campaign


def race(folder):
    """What several processes made of a copy of the tests' database."""
    file = folder / "rankwright.sqlite3"
    copy_sqlite(file)
    environment = {**os.environ, "RANKWRIGHT_VAR": str(folder)}
    command = [sys.executable, "-c", LOOK_AGAIN]
    running = [
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _process in range(PROCESSES)
    ]
    for one in running:
        one.stdout.readline()
    for one in running:
        one.stdin.write("go\n")
        one.stdin.flush()
    assert [one.wait() for one in running] == [0] * PROCESSES
    with sqlite3.connect(file) as stored:
        return stored.execute(
            "SELECT purpose, slot, COUNT(*) FROM annotation_assignment WHERE status = 'OPEN' GROUP BY 1, 2"
        ).fetchall()


class TestARaceToAskOn:
    def test_opens_one_more_slot_of_each_set(self, disputed, tmp_path):
        disputed.extra_overlap = 3
        disputed.save()

        assert race(tmp_path) == [("overlap", 3, SETS)]

    def test_asks_one_reviewer_about_each_set(self, disputed, tmp_path):
        disputed.reviews_disagreements = True
        disputed.save()

        assert race(tmp_path) == [(Assignment.Purpose.ADJUDICATION.value, None, SETS)]
