"""Reviewers' half of the API: what it answers, and who is answered at all."""

import json
from uuid import uuid4

import pytest
from django.test import Client

from annotation.actions.candidates import add_candidate_set
from annotation.actions.demonstrations import claim_demonstration
from annotation.models import Assignment, Demonstration, Pause, Person, Review
from tests.annotation.test_demonstrations import ANSWER, submit
from tests.annotation.test_submit_ranking import submit as submit_order
from tests.conftest import NOON


def as_client(person):
    client = Client()
    if person is not None:
        client.force_login(person)
    return client


def post(client, url, body=None):
    return client.post(url, json.dumps(body or {}), content_type="application/json")


@pytest.fixture
def written(kitchen, soup, ada):
    draft = claim_demonstration(campaign=kitchen, labeler=ada)
    submit(draft)
    return draft


@pytest.fixture
def disagreement(kitchen, soup_set, ada, claim):
    submit_order(claim(kitchen, ada), ada)
    return Assignment.objects.create(
        candidate_set=soup_set, campaign=kitchen, purpose=Assignment.Purpose.ADJUDICATION
    )


@pytest.fixture
def reviewer(rosa):
    return as_client(rosa)


class TestDemonstrations:
    @pytest.fixture
    def shown(self, reviewer, kitchen, written):
        return post(reviewer, f"/api/campaigns/{kitchen.pk}/reviews").json()["demonstration"]

    def decide(self, client, shown, **verdict):
        body = {"revision": shown["revision"], **verdict}
        return post(client, f"/api/demonstrations/{shown['id']}/review", body)

    def test_are_shown_without_their_author(self, shown):
        assert set(shown) == {
            "id",
            "campaign",
            "prompt",
            "turns",
            "is_synthetic",
            "revision",
            "guideline_version",
            "earlier",
        }
        assert shown["turns"] == ANSWER

    def test_are_accepted_and_followed_by_the_next(self, reviewer, shown):
        answer = self.decide(reviewer, shown, verdict="ACCEPTED")

        assert (answer.status_code, answer.json()["next"]) == (201, None)
        assert Demonstration.objects.get().status == "ACCEPTED"

    def test_are_returned_revised_and_shown_again_with_what_was_said(self, reviewer, shown, kitchen, ada):
        author = as_client(ada)

        self.decide(reviewer, shown, verdict="RETURNED", reason="Say how long.")
        returned = post(author, f"/api/campaigns/{kitchen.pk}/demonstrations").json()["demonstration"]
        body = {"idempotency_key": str(uuid4()), "turns": ANSWER, "seconds_spent": 9}
        again = post(author, f"/api/demonstrations/{returned['id']}/submission", body)
        shown_again = post(reviewer, f"/api/campaigns/{kitchen.pk}/reviews").json()["demonstration"]

        assert (returned["status"], returned["returned_because"]) == ("DRAFT", "Say how long.")
        assert again.status_code == 201
        assert again.json()["demonstration"]["returned_because"] == ""
        assert [(said["verdict"], said["reason"]) for said in shown_again["earlier"]] == [
            ("RETURNED", "Say how long.")
        ]
        assert set(shown_again["earlier"][0]) == {"verdict", "reason", "reviewed_at", "turns"}
        assert shown_again["earlier"][0]["turns"] == ANSWER

    def test_take_a_second_click_for_the_same_one(self, reviewer, shown):
        first, second = (self.decide(reviewer, shown, verdict="ACCEPTED") for _ in range(2))

        assert (first.status_code, second.status_code) == (201, 200)
        assert first.json()["review_id"] == second.json()["review_id"]

    @pytest.mark.parametrize(
        ("verdict", "code"),
        [
            ({"verdict": "RETURNED"}, "reason_missing"),
            ({"verdict": "RETURNED", "reason": "x" * 2001}, "text_too_long"),
            ({"verdict": "RETURNED", "reason": "half \ud83c"}, "unusable_text"),
            ({"verdict": "MAYBE"}, "invalid"),
            ({"verdict": "ACCEPTED", "revision": -1}, "invalid"),
        ],
    )
    def test_refuse_bad_input_with_its_code_and_store_nothing(self, reviewer, shown, verdict, code):
        answer = self.decide(reviewer, shown, **verdict)

        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert not Review.objects.exists()

    def test_refuse_a_verdict_of_who_does_not_look_at_it(self, shown, raj):
        answer = self.decide(as_client(raj), shown, verdict="ACCEPTED")

        assert (answer.status_code, answer.json()["code"]) == (409, "lease_lost")

    def test_are_not_there_for_a_reviewer_who_wrote_them(self, kitchen, soup, rosa):
        submit(claim_demonstration(campaign=kitchen, labeler=rosa))
        own = Demonstration.objects.get()

        answer = self.decide(as_client(rosa), {"id": own.pk, "revision": 0}, verdict="ACCEPTED")

        assert answer.status_code == 404


class TestAdjudications:
    @pytest.fixture
    def shown(self, reviewer, kitchen, disagreement):
        answer = post(reviewer, f"/api/campaigns/{kitchen.pk}/adjudications", {"count": 1})
        return answer.json()["assignments"][0]

    def test_look_like_any_assignment_and_are_followed_by_their_kind(self, reviewer, shown, kitchen, soup):
        add_candidate_set(prompt=soup, texts=["Yes.", "No."])
        body = {
            "idempotency_key": str(uuid4()),
            "tiers": [[candidate["id"]] for candidate in shown["candidates"]],
            "seconds_spent": 3,
        }

        answer = post(reviewer, f"/api/assignments/{shown['id']}/ranking", body)

        assert (answer.status_code, answer.json()["next"]) == (201, [])

    def test_show_labelers_orders_without_names(self, reviewer, shown, ada):
        (order,) = reviewer.get(f"/api/assignments/{shown['id']}/orders").json()

        assert set(order) == {"tiers", "unacceptable", "cannot_judge", "rationale"}
        assert order["tiers"] == Person.objects.get(pk=ada.pk).rankings.get().tiers

    def test_show_orders_to_their_reviewer_only(self, shown, raj):
        assert as_client(raj).get(f"/api/assignments/{shown['id']}/orders").status_code == 404


class TestHome:
    def test_counts_what_waits(self, reviewer, kitchen, written, disagreement):
        (campaign,) = reviewer.get("/api/reviews").json()

        assert (campaign["demonstrations_waiting"], campaign["adjudications_waiting"]) == (1, 1)


class TestRights:
    """Everything here is for reviewers and researchers, and for nobody else."""

    @pytest.fixture
    def ask(self, kitchen, written, disagreement):
        def answers(person):
            client = as_client(person)
            review = {"verdict": "ACCEPTED", "revision": 0}
            return {
                "home": client.get("/api/reviews"),
                "claim": post(client, f"/api/campaigns/{kitchen.pk}/reviews"),
                "decide": post(client, f"/api/demonstrations/{written.pk}/review", review),
                "adjudicate": post(client, f"/api/campaigns/{kitchen.pk}/adjudications"),
                "orders": client.get(f"/api/assignments/{disagreement.key}/orders"),
            }

        return answers

    def test_are_nobodys_who_is_not_signed_in(self, ask):
        assert {name: answer.status_code for name, answer in ask(None).items()} == dict.fromkeys(
            ["home", "claim", "decide", "adjudicate", "orders"], 403
        )

    def test_are_no_labelers(self, ask, ben):
        answers = ask(ben)

        assert {answer.status_code for answer in answers.values()} == {403}
        assert not Review.objects.exists()
        assert Demonstration.objects.get().reviewer is None
        assert Assignment.objects.get(purpose="adjudication").status == Assignment.Status.OPEN

    @pytest.mark.parametrize("role", ["reviewer", "researcher"])
    def test_are_reviewers_and_researchers(self, ask, role):
        person = Person.objects.create_user("uma", role=role)

        statuses = {name: answer.status_code for name, answer in ask(person).items()}

        assert statuses == {"home": 200, "claim": 200, "decide": 201, "adjudicate": 200, "orders": 200}

    def test_are_gone_with_the_account(self, ask, rosa):
        rosa.is_active = False
        rosa.save()

        assert {answer.status_code for answer in ask(rosa).values()} == {403}


class TestPause:
    @pytest.fixture
    def paused(self, kitchen, ada):
        return Pause.objects.create(campaign=kitchen, labeler=ada, reason="20%", paused_at=NOON)

    @pytest.mark.parametrize("kind", ["assignments", "demonstrations"])
    def test_is_said_in_words(self, kitchen, soup_set, paused, ada, kind):
        answer = post(as_client(ada), f"/api/campaigns/{kitchen.pk}/{kind}", {"count": 1})

        assert (answer.status_code, answer.json()["code"]) == (409, "paused")
        assert "guideline" in answer.json()["detail"]

    def test_does_not_refuse_what_was_begun(self, kitchen, soup, soup_set, ada):
        client = as_client(ada)
        add_candidate_set(prompt=soup, texts=["Yes.", "No."])
        held = post(client, f"/api/campaigns/{kitchen.pk}/assignments", {"count": 1}).json()["assignments"][0]
        draft = post(client, f"/api/campaigns/{kitchen.pk}/demonstrations").json()["demonstration"]
        Pause.objects.create(campaign=kitchen, labeler=ada, reason="20%", paused_at=NOON)

        ranked = post(
            client,
            f"/api/assignments/{held['id']}/ranking",
            {
                "idempotency_key": str(uuid4()),
                "tiers": [[candidate["id"]] for candidate in held["candidates"]],
                "seconds_spent": 3,
            },
        )
        written = post(
            client,
            f"/api/demonstrations/{draft['id']}/submission",
            {"idempotency_key": str(uuid4()), "turns": ANSWER, "seconds_spent": 9},
        )

        assert (ranked.status_code, ranked.json()["next"]) == (201, [])
        assert (written.status_code, written.json()["next"]) == (201, None)

    def test_leaves_nothing_waiting(self, kitchen, soup_set, paused, ada):
        (campaign,) = as_client(ada).get("/api/campaigns").json()

        assert (campaign["rankings_waiting"], campaign["demonstrations_waiting"]) == (0, 0)
