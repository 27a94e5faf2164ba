"""The same people in every test: Ada and Ben label, Rosa and Raj review, Rhea researches."""

import random

import pytest
from django.test import Client

from annotation.actions.assignments import claim_assignments
from annotation.actions.campaigns import publish_guideline
from annotation.actions.candidates import add_candidate_set
from annotation.actions.practice import mark_practice
from annotation.actions.prompts import add_prompt
from annotation.models import Campaign, Person
from tests.annotation.fair import hold_fair
from tests.conftest import NOON


@pytest.fixture
def ada(db):
    return Person.objects.create_user("ada", password="correct horse")


@pytest.fixture
def ben(db):
    return Person.objects.create_user("ben", password="correct horse")


@pytest.fixture
def rosa(db):
    return Person.objects.create_user("rosa", password="correct horse", role=Person.Role.REVIEWER)


@pytest.fixture
def raj(db):
    return Person.objects.create_user("raj", password="correct horse", role=Person.Role.REVIEWER)


@pytest.fixture
def rhea(db):
    return Person.objects.create_user("rhea", password="correct horse", role=Person.Role.RESEARCHER)


@pytest.fixture
def admin(rhea):
    """Rhea's browser, in the admin."""
    rhea.is_staff = rhea.is_superuser = True
    rhea.save()
    client = Client()
    client.force_login(rhea)
    return client


@pytest.fixture
def kitchen(db):
    campaign = Campaign.objects.create(name="Kitchen")
    publish_guideline(campaign=campaign, text="Be kind.", now=NOON)
    return campaign


@pytest.fixture
def soup(kitchen):
    prompt, _ = add_prompt(campaign=kitchen, messages=[{"role": "user", "content": "How do I make soup?"}])
    return prompt


@pytest.fixture
def soup_set(soup):
    return add_candidate_set(prompt=soup, texts=["Boil it.", "Fry it.", "Bake it.", "Eat it raw."])


@pytest.fixture
def claim():
    def claim_one(campaign, labeler, now=NOON):
        claimed = claim_assignments(
            campaign=campaign, labeler=labeler, count=1, holding=[], now=now, rng=random.Random(0)
        )
        return claimed[0] if claimed else None

    return claim_one


@pytest.fixture
def claimed(kitchen, soup_set, ada, claim):
    return claim(kitchen, ada)


@pytest.fixture
def strict(kitchen):
    """The kitchen, where two practice items are to be passed."""
    kitchen.practice_to_pass = 2
    kitchen.save()
    return kitchen


@pytest.fixture
def items(strict, soup):
    """Three practice items, in their places."""
    return [practice_item(soup, [f"Salt it {place}.", "Burn it."], place) for place in (1, 2, 3)]


def practice_item(prompt, texts, place):
    candidate_set = add_candidate_set(prompt=prompt, texts=texts)
    best_first = candidate_set.completions.order_by("pk").values_list("pk", flat=True)
    return mark_practice(
        candidate_set=candidate_set,
        tiers=[[pk] for pk in best_first],
        explanation="The first **helps**.",
        place=place,
        now=NOON,
    )


@pytest.fixture
def fair(db):
    return hold_fair()
