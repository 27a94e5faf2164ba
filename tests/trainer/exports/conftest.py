import json

import pytest

from annotation.actions.feedback_data import Terms, make_feedback_data
from annotation.models import Consensus, Ranking
from tests.annotation.chatting import guest, thumb
from tests.conftest import NOON
from tests.trainer.conftest import DISHES
from trainer.actions.snapshots import freeze_snapshot


@pytest.fixture
def told(rankings):
    """Rankings with all that a labeler can say."""
    for ranking in rankings:
        a, b, c, d = sorted(ranking.shown_order)
        Ranking.objects.filter(pk=ranking.pk).update(
            strength=3,
            ratings={str(b): {"helpfulness": 2, "correctness": 4}, str(a): {"helpfulness": 5}},
            flags={str(d): ["untrue", "rude"]},
            spans={str(d): [{"start": 0, "end": 3, "flag": "untrue"}]},
            rationale="=1+1 is what it says.",
            edited={"id": a, "text": "Boil it well."},
        )
    return rankings


@pytest.fixture
def agreed(kitchen, told):
    """A consensus on the first candidate set alone."""
    first = told[0]
    Consensus.objects.all().delete()
    candidate_set = first.assignment.candidate_set
    return Consensus.objects.create(
        candidate_set=candidate_set,
        campaign=kitchen,
        method="borda",
        tiers=first.tiers,
        unacceptable=first.unacceptable,
        scores={str(pk): {"value": 1.5, "low": 1.0, "high": 2.0, "cases": 1} for pk in first.shown_order},
        agreement=None,
        rankings=1,
        made_at=NOON,
    )


@pytest.fixture
def full(kitchen, demonstrations, told, agreed):
    """The four snapshots, of rows that use every column."""
    gus = guest("gus", kitchen)
    for dish in DISHES:
        thumb(gus, kitchen, f"How do I make {dish}?", "With patience.", up=dish in {"soup", "tea"})
    make_feedback_data(campaign=kitchen, terms=Terms(), now=NOON)
    return {
        kind: freeze_snapshot(campaign=kitchen, kind=kind, created_by=None, now=NOON)
        for kind in ("demonstrations", "rankings", "prompts", "feedback")
    }


def lines(folder):
    files = [folder / "train.jsonl", folder / "held_out.jsonl"]
    return [
        json.loads(line) for file in files for line in file.read_text(encoding="utf-8").split("\n") if line
    ]
