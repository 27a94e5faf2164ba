"""Whatever people say, and whoever allows what: laws of the data that is made of it."""

import random
import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.actions.feedback_data import Terms, make_feedback_data
from annotation.models import Campaign, CandidateSet, Completion, Demonstration, FeedbackUse, Person, Ranking
from tests.annotation.chatting import allow, better, choice, guest, thumb
from tests.conftest import NOON

LATER = NOON + timedelta(days=2)
NAMES = ["gus", "gwen", "gil", "gina", "gert"]
TEXTS = ["Tea?", "Soup?", "Rice?"]
acts = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(["up", "down", "left", "tie", "both_bad", "better"]),
    st.sampled_from(TEXTS),
    st.sampled_from(["Yes.", "No."]),
    st.integers(0, 2000),
)


def leave(campaign, people, act):
    name, says, text, reply, minutes = act
    at = NOON + timedelta(minutes=minutes)
    if says in ("up", "down"):
        thumb(people[name], campaign, text, reply, up=says == "up", at=at)
    elif says == "better":
        better(people[name], campaign, text, reply, f"{reply} Really.", at=at)
    else:
        choice(people[name], campaign, text, reply, "Perhaps.", says, at=at)


def make(campaign, percent=100):
    return make_feedback_data(campaign=campaign, terms=Terms(percent=percent), now=LATER)


def made_of(campaign):
    """What was made, whatever its numbers are."""
    uses = campaign.feedback_uses.select_related("person", "prompt", "demonstration")
    return Counter(
        (
            use.person.username,
            use.source,
            use.given_at,
            use.prompt.messages[-1]["content"],
            use.prompt.status,
            use.answer,
            use.is_good,
            use.demonstration and use.demonstration.turns[0]["content"],
        )
        for use in uses
    )


@pytest.mark.django_db
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(acts, max_size=15, unique_by=lambda act: act[4]),
    st.sets(st.sampled_from(NAMES)),
    st.sampled_from([20, 40, 100]),
    st.randoms(use_true_random=False),
)
def test_laws(said, allowing, percent, rng):
    with transaction.atomic():
        campaign, other = (Campaign.objects.create(name=name) for name in ("Kitchen", "Garden"))
        people = {name: guest(name, campaign, allows=name in allowing) for name in NAMES}
        for person in people.values():
            allow(person, other, person.username in allowing)
        for act in said:
            leave(campaign, people, act)
        for act in rng.sample(said, len(said)):
            leave(other, people, act)

        make(campaign, percent)
        make(other, percent)
        first = made_of(campaign)

        # Nobody without consent; not a matter of order; nobody beyond their share; once.
        assert {name for name, *_rest in first} <= allowing
        assert made_of(other) == first
        for source in {source for _name, source, *_rest in first}:
            had = Counter(name for name, of, *_rest in first.elements() if of == source)
            most = max(had.values())
            assert 100 * most <= percent * had.total() or most <= had.total() / len(had)
        assert not make(campaign, percent).made
        assert made_of(campaign) == first

        # Gone when all of it is taken back.
        for person in people.values():
            allow(person, campaign, False)
        make(campaign, percent)
        assert not campaign.feedback_uses.exists() and not campaign.prompts.exists()
        transaction.set_rollback(True)


class TestTwoAtOnce:
    def test_make_each_row_once(self, transactional_db):
        campaign = Campaign.objects.create(name="Kitchen")
        people = {name: guest(name, campaign) for name in NAMES}
        rng = random.Random(0)
        for minutes in range(40):
            says = rng.choice(["up", "left", "better"])
            text = f"{rng.choice(TEXTS)} {minutes}"
            leave(campaign, people, (rng.choice(NAMES), says, text, "Yes.", minutes))

        presses = [threading.Thread(target=_press, args=(campaign.pk,)) for _ in range(2)]
        for press in presses:
            press.start()
        for press in presses:
            press.join()

        assert FeedbackUse.objects.count() == 40
        choices = FeedbackUse.objects.filter(source="side_by_side").count()
        assert (Ranking.objects.count(), CandidateSet.objects.count()) == (choices, choices)
        assert Completion.objects.count() == 2 * choices
        assert Demonstration.objects.count() == FeedbackUse.objects.filter(source="better_answer").count()
        assert Person.objects.count() == len(NAMES)


def _press(campaign_id):
    try:
        make(Campaign.objects.get(pk=campaign_id))
    finally:
        connection.close()
