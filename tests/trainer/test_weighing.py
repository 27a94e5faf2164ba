"""Frozen rankings count as much as their labelers are reliable, and the snapshot says by which estimate."""

import hashlib
import json
import random
from dataclasses import replace
from uuid import uuid4

import pytest

from annotation.actions.assignments import claim_assignments
from annotation.actions.candidates import add_candidate_set
from annotation.actions.rankings import submit_ranking
from annotation.models import Campaign, Person
from tests.conftest import NOON
from trainer.actions.snapshots import freeze_snapshot
from trainer.actions.weighing import Weighing
from trainer.errors import FilterDoesNotFit
from trainer.handoff.records import RankingRecord, read_records
from trainer.pseudonyms import pseudonym

RIGHT, REVERSED = 1, -1


@pytest.fixture
def people(kitchen, prompts):
    """Ada, Ben and Chen agree with each other; Turn turns every order round."""
    Campaign.objects.update(overlap=4)
    for prompt in prompts:
        prompt.campaign.refresh_from_db()
        add_candidate_set(prompt=prompt, texts=["Boil it.", "Fry it.", "Eat it raw."])
    people = {name: Person.objects.create_user(name) for name in ("ada", "ben", "chen", "turn")}
    for name, person in people.items():
        claimed = claim_assignments(
            campaign=kitchen,
            labeler=person,
            count=len(prompts),
            holding=[],
            now=NOON,
            rng=random.Random(0),
        )
        for held in claimed:
            submit_ranking(
                assignment=held,
                labeler=person,
                tiers=[[one] for one in sorted(held.shown_order)][:: REVERSED if name == "turn" else RIGHT],
                unacceptable=[],
                cannot_judge="",
                seconds_spent=1,
                idempotency_key=uuid4(),
                now=NOON,
            )
    return people


def freeze(kitchen, kind="rankings", weights="reliability"):
    return freeze_snapshot(campaign=kitchen, kind=kind, weights=weights, created_by=None, now=NOON)


def weights_in(snapshot):
    """By pseudonym; nobody has two."""
    rows = read_records(snapshot.file, RankingRecord)
    weights = {(row.labeler, row.weight) for row in rows}
    assert len(weights) == len({row.labeler for row in rows})
    return dict(weights)


class TestFreezeSnapshotByReliability:
    def test_weighs_those_whom_others_confirm_most(self, kitchen, people):
        weights = weights_in(freeze(kitchen))

        named = {name: weights[pseudonym(kitchen, person.pk)] for name, person in people.items()}
        assert named["turn"] == 0
        assert min(named[name] for name in ("ada", "ben", "chen")) > 1

    def test_names_the_estimate_and_its_digest(self, kitchen, people):
        snapshot = freeze(kitchen)

        told = snapshot.manifest["weights"]
        assert (told["weights"], told["labelers"], told["rankings"]) == ("reliability", 4, 4 * 8)
        again = json.dumps(weights_in(snapshot), sort_keys=True)
        assert told["digest"] == hashlib.sha256(again.encode()).hexdigest()

    def test_is_another_snapshot_and_the_same_each_time(self, kitchen, people):
        weighed = freeze(kitchen)

        plain = freeze(kitchen, weights="none")
        assert plain != weighed == freeze(kitchen)
        assert "weights" not in plain.manifest
        assert set(weights_in(plain).values()) == {1.0}

    def test_is_refused_where_there_are_no_rankings(self, kitchen, people):
        with pytest.raises(FilterDoesNotFit, match="Only rankings have weights"):
            freeze(kitchen, kind="prompts")


class TestWeighing:
    def test_leaves_a_reviewers_order_and_what_it_replaces_as_they_are(self, kitchen, people):
        row = read_records(freeze(kitchen, weights="none").file, RankingRecord)[0]
        decided, replaced = replace(row, purpose="adjudication"), replace(row, weight=0.0)

        weighed = Weighing({row.labeler: 2.0}).weighed([row, decided, replaced])

        assert [one.weight for one in weighed] == [2.0, 1.0, 0.0]
