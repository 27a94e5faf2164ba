"""Practice through HTTP: the answer is told to whoever has tried, and to nobody before."""

import json

import pytest
from django.test import Client

from annotation.models import PracticeAttempt
from tests.annotation.test_api import post

SECRETS = ["explanation", "helps", "tiers", "unacceptable", "place", "gold"]


@pytest.fixture
def signed_in(ada):
    client = Client()
    client.force_login(ada)
    return client


@pytest.fixture
def page(strict):
    return f"/api/campaigns/{strict.pk}/practice"


def attempts(item):
    return f"/api/practice/{item.pk}/attempts"


class TestPractice:
    def test_shows_what_to_rank_and_nothing_of_its_answer(self, signed_in, page, items):
        told = signed_in.get(page).json()

        assert (told["passed"], told["left"], told["item"]["id"]) == (0, 2, items[0].pk)
        shown = {candidate["id"] for candidate in told["item"]["candidates"]}
        assert shown == {pk for tier in items[0].tiers for pk in tier}
        assert not [secret for secret in SECRETS if secret in json.dumps(told)]

    def test_tells_the_answer_and_its_reason_to_whoever_tried(self, signed_in, page, items):
        order = items[0].tiers[::-1]

        answer = post(signed_in, attempts(items[0]), {"tiers": order})

        assert answer.status_code == 201
        assert answer.json() == {
            "is_passed": False,
            "answer": {
                "tiers": items[0].tiers,
                "unacceptable": [],
                "explanation": "The first **helps**.",
            },
            "progress": {"passed": 0, "left": 2},
            "has_more": True,
        }
        assert PracticeAttempt.objects.get().tiers == order
        assert signed_in.get(f"{page}?after={items[1].pk}").json()["item"]["id"] == items[2].pk

    def test_opens_the_work_and_says_before_why_it_is_closed(self, signed_in, strict, items, soup_set):
        work = f"/api/campaigns/{strict.pk}/assignments"

        refused = post(signed_in, work, {"count": 1})
        assert (refused.status_code, refused.json()["code"]) == (409, "practice_needed")
        assert signed_in.get("/api/campaigns").json()[0]["practice_left"] == 2

        for item in items[:2]:
            passed = post(signed_in, attempts(item), {"tiers": item.tiers}).json()
        assert (passed["is_passed"], passed["progress"]) == (True, {"passed": 2, "left": 0})
        assert len(post(signed_in, work, {"count": 1}).json()["assignments"]) == 1
        assert signed_in.get("/api/campaigns").json()[0]["practice_left"] == 0

    def test_refuses_half_an_order_and_what_is_not_handed_out(self, signed_in, page, items):
        half = post(signed_in, attempts(items[0]), {"tiers": items[0].tiers[:1]})
        items[1].is_active = False
        items[1].save()
        off = post(signed_in, attempts(items[1]), {"tiers": items[1].tiers})

        assert (half.status_code, half.json()["code"]) == (400, "incomplete_ranking")
        assert off.status_code == 404
        assert not PracticeAttempt.objects.exists()

    def test_is_for_people_with_an_account(self, page, items):
        nobody = Client()

        assert nobody.get(page).status_code == 403
        assert post(nobody, attempts(items[0]), {"tiers": items[0].tiers}).status_code == 403
