"""Rankings weigh as much as their labeler is reliable."""

import random
from itertools import count
from uuid import UUID

import pytest

from annotation.actions.assignments import claim_assignments
from annotation.actions.candidates import add_candidate_set
from annotation.actions.prompts import add_prompt
from annotation.actions.rankings import submit_ranking
from annotation.actions.weights import reliability_weights
from annotation.models import Campaign, Person
from tests.conftest import NOON

SETS = 24
keys = count(1)


@pytest.fixture
def people(db):
    return {name: Person.objects.create_user(name) for name in ("ada", "ben", "chen", "spam", "turn")}


@pytest.fixture
def campaign(db):
    campaign = Campaign.objects.create(name="Crowd", overlap=5)
    for number in range(SETS):
        prompt, _ = add_prompt(
            campaign=campaign, messages=[{"role": "user", "content": f"Question {number}?"}]
        )
        add_candidate_set(prompt=prompt, texts=["Good.", "Fair.", "Bad."])
    return campaign


def rank_all(campaign, labeler, order, cannot_judge=""):
    """``order`` gives the tiers for the ids of good, fair and bad."""
    for _ in range(SETS):
        [held] = claim_assignments(
            campaign=campaign, labeler=labeler, count=1, holding=[], now=NOON, rng=random.Random(0)
        )
        submit_ranking(
            assignment=held,
            labeler=labeler,
            tiers=order(*sorted(held.shown_order)),
            unacceptable=[],
            cannot_judge=cannot_judge,
            seconds_spent=1,
            idempotency_key=UUID(int=next(keys)),
            now=NOON,
        )


def rightly(good, fair, bad):
    return [[good], [fair], [bad]]


def the_other_way_round(good, fair, bad):
    return [[bad], [fair], [good]]


class TestReliabilityWeights:
    def test_are_higher_for_those_whom_others_confirm(self, campaign, people):
        rng = random.Random(3)
        for name in ("ada", "ben", "chen"):
            rank_all(campaign, people[name], rightly)
        rank_all(campaign, people["spam"], lambda *ids: [[one] for one in rng.sample(ids, 3)])
        rank_all(campaign, people["turn"], the_other_way_round)

        weights = reliability_weights(campaign)

        for honest in ("ada", "ben", "chen"):
            assert weights.of(people[honest].pk) > 1 > 3 * weights.of(people["spam"].pk)
        assert weights.of(people["turn"].pk) == 0
        assert (weights.rankings, weights.comparisons) == (5 * SETS, 5 * SETS * 3)

    def test_are_1_on_average_over_rankings(self, campaign, people):
        rank_all(campaign, people["ada"], rightly)
        rank_all(campaign, people["ben"], lambda good, fair, bad: [[good, fair], [bad]])

        weights = reliability_weights(campaign)

        assert sum(weights.of(people[name].pk) for name in ("ada", "ben")) == pytest.approx(2, abs=0.01)

    def test_are_the_same_each_time(self, campaign, people):
        rank_all(campaign, people["ada"], rightly)
        rank_all(campaign, people["turn"], the_other_way_round)

        assert reliability_weights(campaign) == reliability_weights(campaign)

    def test_are_1_where_nobody_has_said_anything(self, campaign, people):
        rank_all(campaign, people["ada"], lambda *ids: [], cannot_judge="I cannot read it.")

        assert reliability_weights(campaign).of(people["ada"].pk) == 1
