import random
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.actions.assignments import claim_assignments
from annotation.actions.candidates import add_candidate_set
from annotation.actions.cohorts import is_member
from annotation.actions.demonstrations import claim_demonstration
from annotation.actions.practice import next_practice
from annotation.actions.prompts import add_prompt
from annotation.actions.reviews import claim_adjudications, claim_review
from annotation.errors import NotAMember
from annotation.models import Assignment, Campaign, Cohort, Demonstration
from tests.annotation.test_submit_ranking import submit
from tests.annotation.test_suspension import signed_in
from tests.conftest import NOON

PURPOSES = [Assignment.Purpose.OVERLAP, Assignment.Purpose.ADJUDICATION]


@pytest.fixture
def cooks(kitchen):
    """The kitchen is theirs alone."""
    cohort = Cohort.objects.create(name="Cooks")
    cohort.campaigns.add(kitchen)
    return cohort


class TestACampaignWithCohorts:
    def test_is_for_their_members_only(self, kitchen, cooks, soup_set, ada, ben, claim):
        cooks.members.add(ada)

        assert claim(kitchen, ada)
        with pytest.raises(NotAMember):
            claim(kitchen, ben)

    def test_is_there_for_nobody_else(self, kitchen, cooks, soup_set, soup, ada, rosa):
        outside = signed_in(rosa)
        paths = ["guideline", "guidelines", "consent", "practice"]
        work = ["assignments", "demonstrations", "reviews", "adjudications"]

        assert outside.get("/api/campaigns").json() == []
        assert outside.get("/api/reviews").json() == []
        answers = [outside.get(f"/api/campaigns/{kitchen.pk}/{path}") for path in paths]
        answers += [
            outside.post(f"/api/campaigns/{kitchen.pk}/{path}", {}, content_type="application/json")
            for path in work
        ]
        assert {answer.status_code for answer in answers} == {404}

    def test_lets_what_is_held_be_handed_in_by_who_left(self, kitchen, cooks, soup_set, ada, claim):
        cooks.members.add(ada)
        held = claim(kitchen, ada)
        cooks.members.remove(ada)

        ranking, is_new = submit(held, ada)

        assert is_new and ranking.labeler == ada

    def test_is_open_to_everybody_once_it_names_none(self, kitchen, cooks, ada):
        assert not is_member(kitchen, ada)

        kitchen.cohorts.clear()

        assert is_member(kitchen, ada)


def ways_to_be_handed_something(campaign, person):
    yield lambda: claim_demonstration(campaign=campaign, labeler=person)
    yield lambda: next_practice(campaign=campaign, labeler=person)
    yield lambda: claim_review(campaign=campaign, reviewer=person, now=NOON)
    asked = {"campaign": campaign, "count": 2, "holding": [], "now": NOON, "rng": random.Random(0)}
    yield lambda: claim_assignments(labeler=person, **asked)
    yield lambda: claim_adjudications(reviewer=person, **asked)


memberships = st.sets(st.tuples(st.sampled_from(["rosa", "raj"]), st.sampled_from(["Cooks", "Bakers"])))
limits = st.sets(st.tuples(st.sampled_from(["Soups", "Pies"]), st.sampled_from(["Cooks", "Bakers"])))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(memberships=memberships, limits=limits)
def test_nobody_outside_is_ever_handed_an_item(ada, rosa, raj, memberships, limits):
    by_name = {"rosa": rosa, "raj": raj}
    with transaction.atomic():
        cohorts = {name: Cohort.objects.create(name=name) for name in ("Cooks", "Bakers")}
        campaigns = {name: busy_campaign(name, ada) for name in ("Soups", "Pies")}
        for who, cohort in memberships:
            cohorts[cohort].members.add(by_name[who])
        for campaign, cohort in limits:
            cohorts[cohort].campaigns.add(campaigns[campaign])

        for name, campaign in campaigns.items():
            for who, person in by_name.items():
                theirs = {cohort for member, cohort in memberships if member == who}
                asked = {cohort for limited, cohort in limits if limited == name}
                for way in ways_to_be_handed_something(campaign, person):
                    if not asked or asked & theirs:
                        way()
                        continue
                    with pytest.raises(NotAMember):
                        way()
                    assert not Assignment.objects.filter(campaign=campaign, labeler=person).exists()
                    assert not Demonstration.objects.filter(
                        prompt__campaign=campaign, labeler=person
                    ).exists()
        transaction.set_rollback(True)


def busy_campaign(name, author):
    """Of everything that is handed out, there is some."""
    campaign = Campaign.objects.create(name=name, overlap=2, demonstrations_per_prompt=3)
    for number in range(2):
        prompt, _ = add_prompt(campaign=campaign, messages=[{"role": "user", "content": f"Soup {number}?"}])
        candidate_set = add_candidate_set(prompt=prompt, texts=["Yes.", "No."])
        Assignment.objects.create(
            candidate_set=candidate_set, campaign=campaign, purpose=Assignment.Purpose.ADJUDICATION
        )
        Demonstration.objects.create(
            prompt=prompt,
            labeler=author,
            status="SUBMITTED",
            submitted_at=NOON,
            idempotency_key=uuid4(),
            turns=[{"role": "assistant", "content": "Yes."}],
        )
    return campaign
