"""Through HTTP, as a page would: status, code, and that nothing is half-stored."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from annotation.actions.assignments import return_overdue_assignments
from annotation.actions.candidates import add_candidate_set
from annotation.models import Assignment, Campaign, Demonstration, Ranking


@pytest.fixture
def signed_in(ada):
    client = Client()
    client.force_login(ada)
    return client


def post(client, url, body):
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(url, data, content_type="application/json")


@pytest.fixture
def assignment(signed_in, kitchen, soup_set):
    answer = post(signed_in, f"/api/campaigns/{kitchen.pk}/assignments", {"count": 1})
    return answer.json()["assignments"][0]


def judgement(assignment, **changes):
    return {
        "idempotency_key": str(uuid4()),
        "tiers": [[candidate["id"]] for candidate in assignment["candidates"]],
        "unacceptable": [],
        "cannot_judge": "",
        "seconds_spent": 3.5,
        **changes,
    }


class TestSession:
    def test_signs_in_and_out(self, ada):
        client = Client(enforce_csrf_checks=True)
        client.get("/app/")
        token = client.cookies["csrftoken"].value
        credentials = json.dumps({"username": "ada", "password": "correct horse"})
        headers = {"X-CSRFToken": token}

        signed_in = client.post("/api/session", credentials, content_type="application/json", headers=headers)

        assert signed_in.json()["username"] == "ada"
        assert client.get("/api/me").json()["role"] == "labeler"
        headers = {"X-CSRFToken": client.cookies["csrftoken"].value}
        assert client.delete("/api/session", headers=headers).status_code == 204
        assert client.get("/api/me").json()["code"] == "not_authenticated"

    def test_needs_the_token_of_a_page_of_ours(self, ada):
        client = Client(enforce_csrf_checks=True)

        answer = post(client, "/api/session", {"username": "ada", "password": "correct horse"})

        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")

    def test_says_when_the_password_is_wrong(self, ada):
        answer = post(Client(), "/api/session", {"username": "ada", "password": "wrong"})

        assert (answer.status_code, answer.json()["code"]) == (400, "bad_credentials")

    def test_locks_out_who_keeps_guessing(self, ada):
        guesses = [
            post(Client(), "/api/session", {"username": "ada", "password": f"guess {i}"}) for i in range(9)
        ]

        assert (guesses[-1].status_code, guesses[-1].json()["code"]) == (429, "locked_out")


class TestAssignments:
    def test_show_nothing_but_the_texts_and_their_ids(self, assignment):
        assert {key for candidate in assignment["candidates"] for key in candidate} == {"id", "text"}

    def test_come_with_the_campaigns_counts(self, signed_in, kitchen, soup_set):
        (campaign,) = signed_in.get("/api/campaigns").json()

        assert campaign["rankings_waiting"] == 1
        assert campaign["demonstrations_waiting"] == 1

    def test_can_be_kept_alive(self, signed_in, assignment):
        answer = signed_in.post(f"/api/assignments/{assignment['id']}/heartbeat")

        assert answer.json()["lease_expires_at"] >= assignment["lease_expires_at"]

    def test_can_be_skipped_with_a_reason(self, signed_in, assignment):
        answer = post(signed_in, f"/api/assignments/{assignment['id']}/skip", {"reason": "Too long"})

        assert answer.json() == {"next": []}

    def test_need_a_session(self, kitchen):
        answer = post(Client(), f"/api/campaigns/{kitchen.pk}/assignments", {"count": 1})

        assert (answer.status_code, answer.json()["code"]) == (403, "not_authenticated")


class TestSubmitRanking:
    def url(self, assignment):
        return f"/api/assignments/{assignment['id']}/ranking"

    def test_answers_with_what_comes_next(self, signed_in, assignment, soup):
        other = add_candidate_set(prompt=soup, texts=["Yes.", "No."])

        answer = post(signed_in, self.url(assignment), judgement(assignment))

        assert answer.status_code == 201
        shown = {candidate["id"] for candidate in answer.json()["next"][0]["candidates"]}
        assert shown == set(other.completions.values_list("pk", flat=True))

    def test_takes_a_second_click_for_the_same_one(self, signed_in, assignment):
        body = judgement(assignment)

        first, second = (post(signed_in, self.url(assignment), body) for _ in range(2))

        assert (first.status_code, second.status_code) == (201, 200)
        assert first.json()["ranking_id"] == second.json()["ranking_id"]
        assert Ranking.objects.count() == 1

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda ids: {"tiers": [[pk] for pk in ids[1:]]}, "incomplete_ranking"),
            (lambda ids: {"tiers": [[ids[0]], *[[pk] for pk in ids]]}, "duplicate_completion"),
            (lambda ids: {"tiers": [[pk] for pk in [*ids, 999_999]]}, "unknown_completion"),
            (lambda ids: {"tiers": "best"}, "invalid"),
            (lambda ids: {"tiers": [["one"]]}, "invalid"),
            (lambda ids: {"tiers": [], "cannot_judge": "bad \x00 byte"}, "unusable_text"),
            (lambda ids: {"tiers": [], "cannot_judge": "half \ud83c pair"}, "unusable_text"),
            (lambda ids: {"tiers": [], "cannot_judge": "x" * 501}, "text_too_long"),
            (lambda ids: {"seconds_spent": -1}, "invalid"),
            (lambda ids: {"idempotency_key": "again"}, "invalid"),
        ],
    )
    def test_refuses_bad_input_with_its_code_and_stores_nothing(self, signed_in, assignment, change, code):
        ids = [candidate["id"] for candidate in assignment["candidates"]]

        answer = post(signed_in, self.url(assignment), judgement(assignment, **change(ids)))

        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert answer.json()["detail"]
        assert Ranking.objects.count() == 0
        assert Assignment.objects.get(key=assignment["id"]).status == Assignment.Status.CLAIMED

    def test_refuses_malformed_json(self, signed_in, assignment):
        answer = post(signed_in, self.url(assignment), '{"tiers": [')

        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")

    def test_refuses_more_than_any_ranking_could_be(self, signed_in, assignment):
        answer = post(signed_in, self.url(assignment), " " * 3_000_000)

        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    def test_refuses_without_a_lease(self, signed_in, assignment, ben):
        client = Client()
        client.force_login(ben)

        answer = post(client, self.url(assignment), judgement(assignment))

        assert (answer.status_code, answer.json()["code"]) == (409, "lease_lost")

    def test_knows_no_assignment_by_that_id(self, signed_in, assignment):
        answer = post(signed_in, f"/api/assignments/{uuid4()}/ranking", judgement(assignment))

        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_keeps_what_comes_after_the_time_ran_out(self, signed_in, assignment, kitchen, ben, claim):
        later = timezone.now() + timedelta(hours=2)
        return_overdue_assignments(now=later)
        claim(kitchen, ben, now=later)

        answer = post(signed_in, self.url(assignment), judgement(assignment))

        assert (answer.status_code, answer.json()["kept_as_surplus"]) == (201, True)
        assert Ranking.objects.get().assignment.purpose == Assignment.Purpose.SURPLUS

    def test_takes_back_what_nobody_else_took(self, signed_in, assignment):
        return_overdue_assignments(now=timezone.now() + timedelta(hours=2))

        answer = post(signed_in, self.url(assignment), judgement(assignment))

        assert (answer.status_code, answer.json()["kept_as_surplus"]) == (201, False)

    def test_says_when_the_same_key_comes_with_another_order(self, signed_in, assignment):
        body = judgement(assignment)
        post(signed_in, self.url(assignment), body)

        answer = post(signed_in, self.url(assignment), {**body, "tiers": body["tiers"][::-1]})

        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"strength": 9}, "bad_strength"),
            ({"strength": "much"}, "invalid"),
            ({"flags": {"0": ["opinion"]}}, "unknown_completion"),
            ({"flags": {"0": ["boring"]}}, "unknown_completion"),
            ({"spans": {"0": [{"start": 0, "end": 2, "flag": "opinion"}]}}, "unknown_completion"),
            ({"spans": {"0": [{"start": 0, "flag": "opinion"}]}}, "invalid"),
            ({"ratings": {"1": 3}}, "invalid"),
            ({"edited": {"id": 1}}, "invalid"),
            ({"rationale": "x" * 10_001}, "text_too_long"),
        ],
    )
    def test_refuses_what_more_it_cannot_store(self, signed_in, assignment, change, code):
        answer = post(signed_in, self.url(assignment), judgement(assignment, **change))

        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert Ranking.objects.count() == 0


class TestOwnRankings:
    def test_can_be_looked_at_again_and_corrected(self, signed_in, assignment, kitchen):
        first = judgement(assignment, rationale="Short.")
        post(signed_in, f"/api/assignments/{assignment['id']}/ranking", first)

        (mine,) = signed_in.get(f"/api/campaigns/{kitchen.pk}/rankings").json()
        correction = judgement(mine["assignment"], tiers=mine["tiers"][::-1])
        answer = post(signed_in, f"/api/assignments/{mine['assignment']['id']}/corrections", correction)
        (corrected,) = signed_in.get(f"/api/campaigns/{kitchen.pk}/rankings").json()

        assert (mine["rationale"], mine["assignment"]["candidates"]) == ("Short.", assignment["candidates"])
        assert (answer.status_code, answer.json()["revision"]) == (201, 2)
        assert corrected["tiers"] == first["tiers"][::-1]

    def test_are_nobody_elses(self, signed_in, assignment, kitchen, ben):
        post(signed_in, f"/api/assignments/{assignment['id']}/ranking", judgement(assignment))
        client = Client()
        client.force_login(ben)

        answer = post(client, f"/api/assignments/{assignment['id']}/corrections", judgement(assignment))

        assert client.get(f"/api/campaigns/{kitchen.pk}/rankings").json() == []
        assert (answer.status_code, answer.json()["code"]) == (409, "lease_lost")


class TestDemonstrations:
    @pytest.fixture
    def draft(self, signed_in, kitchen, soup):
        return post(signed_in, f"/api/campaigns/{kitchen.pk}/demonstrations", {}).json()["demonstration"]

    def submit(self, client, draft, turns):
        body = {"idempotency_key": str(uuid4()), "turns": turns, "seconds_spent": 9}
        return post(client, f"/api/demonstrations/{draft['id']}/submission", body)

    def test_drafts_are_kept(self, signed_in, draft):
        turns = [{"role": "assistant", "content": "  Boil "}]
        url = f"/api/demonstrations/{draft['id']}/draft"

        saved = signed_in.put(
            url, json.dumps({"turns": turns, "revision": 0}), content_type="application/json"
        )
        stale = signed_in.put(url, json.dumps({"turns": [], "revision": 0}), content_type="application/json")

        assert (saved.json()["turns"], saved.json()["revision"]) == (turns, 1)
        assert (stale.status_code, stale.json()["code"]) == (409, "stale_revision")

    def test_are_handed_in_and_followed_by_the_next(self, signed_in, draft):
        answer = self.submit(signed_in, draft, [{"role": "assistant", "content": "Boil it."}])

        assert answer.status_code == 201
        assert answer.json()["demonstration"]["status"] == "SUBMITTED"
        assert answer.json()["next"] is None

    @pytest.mark.parametrize(
        ("turns", "code"),
        [
            ([{"role": "assistant", "content": " "}], "empty_turn"),
            ([{"role": "wizard", "content": "Boil it."}], "unknown_role"),
            ([{"role": "user", "content": "Boil it."}], "last_turn_not_assistant"),
            ([{"role": "assistant", "content": "a"}] * 2, "turns_must_alternate"),
            ([{"role": "assistant", "content": "x" * 200_000}], "text_too_long"),
            ([{"role": "assistant", "content": "half \ud83c"}], "unusable_text"),
            ([{"role": "assistant", "content": "nul \x00"}], "unusable_text"),
        ],
    )
    def test_refuse_what_cannot_be_stored(self, signed_in, draft, turns, code):
        answer = self.submit(signed_in, draft, turns)

        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert Demonstration.objects.get().status == Demonstration.Status.DRAFT

    def test_show_a_suggestion_where_the_campaign_offers_them(self, signed_in, draft, kitchen, soup_set):
        url = f"/api/demonstrations/{draft['id']}/suggestion"

        refused = post(signed_in, url, {})
        Campaign.objects.update(offers_suggestions=True, checklist=["It says how long."])
        offered = post(signed_in, f"/api/campaigns/{kitchen.pk}/demonstrations", {}).json()["demonstration"]
        shown = post(signed_in, url, {})
        marked = post(signed_in, f"/api/campaigns/{kitchen.pk}/demonstrations", {}).json()["demonstration"]

        assert (refused.status_code, refused.json()["code"]) == (409, "no_suggestion")
        assert (draft["can_suggest"], offered["can_suggest"]) == (False, True)
        assert (offered["suggestion"], marked["suggestion"]) == (None, shown.json()["text"])
        assert soup_set.completions.filter(text=shown.json()["text"]).exists()
        assert offered["checklist"] == ["It says how long."]

    def test_are_seen_by_their_author_only(self, draft, ben):
        client = Client()
        client.force_login(ben)

        answer = self.submit(client, draft, [{"role": "assistant", "content": "Boil it."}])

        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


class TestPages:
    def test_the_app_answers_below_its_path(self, client, db):
        assert client.get("/app/rank/3").status_code in {200, 503}  # 503 until the screens are built

    def test_health_needs_no_account(self, client, db):
        assert client.get("/healthz").json() == {"status": "ok"}

    def test_the_app_has_a_strict_content_policy(self, client, db):
        policy = client.get("/app/").headers["Content-Security-Policy"]

        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
