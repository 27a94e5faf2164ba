"""A kitchen that people have worked in: prompts, demonstrations, rankings, and what is frozen of them."""

import json
import random
import sys
from uuid import UUID

import pytest

from annotation.actions.assignments import claim_assignments
from annotation.actions.campaigns import publish_guideline
from annotation.actions.candidates import add_candidate_set
from annotation.actions.prompts import add_prompt
from annotation.actions.rankings import submit_ranking
from annotation.models import Campaign, Demonstration, Person
from tests.conftest import NOON
from trainer import rehearsal
from trainer.actions.checkpoints import register_base_model
from trainer.actions.pipelines import loop_of, start_pipeline
from trainer.actions.runs import queue_run
from trainer.actions.snapshots import freeze_snapshot
from trainer.models import Checkpoint

DISHES = ["soup", "rice", "tea", "bread", "stew", "salad", "pie", "jam"]


@pytest.fixture
def rhea(db):
    return Person.objects.create_user(
        "rhea", password="correct horse", role=Person.Role.RESEARCHER, is_staff=True
    )


@pytest.fixture
def lab_says(monkeypatch):
    """Puts some lines of Python in the place of the lab that is asked what a run would take."""

    def say(*lines):
        command = [sys.executable, "-c", "\n".join(lines)]
        monkeypatch.setattr(rehearsal, "lab_command", lambda *_asked: command)

    return say


@pytest.fixture
def ada(db):
    return Person.objects.create_user("ada", password="correct horse")


@pytest.fixture
def kitchen(db):
    campaign = Campaign.objects.create(name="Kitchen", held_out_percent=50)
    publish_guideline(campaign=campaign, text="Be kind.", now=NOON)
    return campaign


@pytest.fixture
def prompts(kitchen):
    return [
        add_prompt(
            campaign=kitchen,
            messages=[{"role": "user", "content": f"How do I make {dish}?"}],
            kind="question",
            language="en",
        )[0]
        for dish in DISHES
    ]


@pytest.fixture
def demonstrations(prompts, ada):
    return [
        Demonstration.objects.create(
            prompt=prompt,
            labeler=ada,
            guideline=prompt.campaign.guidelines.get(),
            turns=[
                {"role": "assistant", "content": "For how many?"},
                {"role": "user", "content": "For two."},
                {"role": "assistant", "content": "Then one pot is enough."},
            ],
            status=Demonstration.Status.SUBMITTED,
            submitted_at=NOON,
        )
        for prompt in prompts
    ]


@pytest.fixture
def rankings(prompts, ada, kitchen):
    return [rank(kitchen, prompt, ada) for prompt in prompts]


def rank(campaign, prompt, labeler):
    """The first answer best, the next two tied, the last one unacceptable."""
    add_candidate_set(prompt=prompt, texts=["Boil it.", "Fry it.", "Bake it.", "Eat it raw."])

    [assignment] = claim_assignments(
        campaign=campaign, labeler=labeler, count=1, holding=[], now=NOON, rng=random.Random(0)
    )
    a, b, c, d = sorted(assignment.shown_order)
    ranking, _ = submit_ranking(
        assignment=assignment,
        labeler=labeler,
        tiers=[[a], [b, c]],
        unacceptable=[d],
        cannot_judge="",
        seconds_spent=9.5,
        idempotency_key=UUID(int=assignment.pk),
        now=NOON,
    )
    return ranking


@pytest.fixture
def frozen(kitchen, demonstrations, rankings, rhea):
    """The three snapshots, by kind."""
    return {
        kind: freeze_snapshot(campaign=kitchen, kind=kind, created_by=rhea, now=NOON)
        for kind in ("demonstrations", "rankings", "prompts")
    }


@pytest.fixture
def base(db, tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return register_base_model(str(folder), now=NOON)


@pytest.fixture
def reward_model(frozen, base, rhea):
    run = queue_run(kind="reward", snapshot=frozen["rankings"], base=base, created_by=rhea, now=NOON)
    return Checkpoint.objects.create(
        kind="reward", name="taste", location="/r", digest="r" * 64, produced_by=run, created_at=NOON
    )


@pytest.fixture
def sft_run(frozen, base, rhea):
    return queue_run(kind="sft", snapshot=frozen["demonstrations"], base=base, created_by=rhea, now=NOON)


@pytest.fixture
def loop(kitchen, frozen, base, rhea):
    """SFT, reward model, PPO and new candidates, each queued on those before it."""
    pipeline = loop_of(kitchen, True, rhea, NOON)
    return list(start_pipeline(pipeline=pipeline, start=base, by=rhea, now=NOON).stages.order_by("pk"))


@pytest.fixture
def script(tmp_path):
    """A process that does what the given lines say, with ``run`` as its run directory."""

    def write(*lines):
        file = tmp_path / "script.py"
        head = [
            "import os, signal, sys, time",
            "from pathlib import Path",
            "from trainer.handoff.rundir import RunDirectory",
            "run = RunDirectory(sys.argv[1])",
        ]
        file.write_text("\n".join([*head, *lines]))
        return [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, '.'); exec(open({json.dumps(str(file))}).read())",
        ]

    return write
