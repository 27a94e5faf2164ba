"""The simulated chat users of the flywheel: what they leave, and what the action makes of it."""

import random

import pytest
from django.utils import timezone

from annotation.actions.feedback_data import Terms, make_feedback_data, plan_feedback_data
from annotation.actions.sample import load_sample_campaign, sample_answers
from annotation.feedback_choice import LeftOut
from annotation.models import FeedbackUse, Ranking, SideBySide, Thumb
from annotation.simulated_labelers import appeal
from benchmarks.flywheel.people import CHATS, Crowd, chat

PEOPLE = 60


@pytest.fixture
def campaign(db):
    return load_sample_campaign(now=timezone.now(), prompts_only=True)


@pytest.fixture
def told(campaign):
    prompts = list(campaign.prompts.order_by("pk")[:40])
    plain = "It depends on what you have at home and on how much time there is for it today."
    answers = {prompt.pk: [plain, f"Great question! {plain}", "No", f"{plain} {plain}"] for prompt in prompts}
    crowd = Crowd(campaign, prompts, answers, sample_answers(), lambda messages: None, random.Random(0))
    return chat(crowd, PEOPLE, now=timezone.now())


class TestPeople:
    def test_prefer_what_they_like_but_are_not_sure_of_it(self, told):
        decided = SideBySide.objects.filter(verdict__in=["left", "right"]).select_related("left", "right")
        leads = [
            (appeal(one.left.text) - appeal(one.right.text)) * (1 if one.verdict == "left" else -1)
            for one in decided
        ]

        right, wrong = sum(lead > 0 for lead in leads), sum(lead < 0 for lead in leads)
        assert right > 3 * wrong > 0

    def test_give_what_becomes_data_and_abuse_is_left_out(self, told, campaign):
        plan = plan_feedback_data(campaign=campaign, terms=Terms(), now=timezone.now())

        done = make_feedback_data(campaign=campaign, terms=Terms(), now=timezone.now())

        assert told["abusers"] > 0 < told["without_consent"]
        assert plan.without_consent[0] >= told["without_consent"] * CHATS
        assert plan.choice.left_out[LeftOut.ONE_WAY]
        users = {use.person.username for use in FeedbackUse.objects.select_related("person")}
        assert len(users) == PEOPLE - told["abusers"] - told["without_consent"]
        assert done.made["side_by_side"] == Ranking.objects.count() > 50
        assert done.made["thumb"] <= Thumb.objects.count()
