"""Every refusal has one shape, whoever raises it."""

import json

import pytest
from django.db import OperationalError
from django.views.defaults import server_error
from rest_framework import exceptions

from annotation.errors import LeaseLost, UnusableText
from annotation.models import Person
from config.errors import answer_refusal


class TestARefusal:
    def test_keeps_its_code_its_words_and_its_status(self):
        answer = answer_refusal(LeaseLost("Too late."), {})

        assert (answer.status_code, answer.data) == (409, {"code": "lease_lost", "detail": "Too late."})

    def test_of_bad_input_is_a_400(self):
        assert answer_refusal(UnusableText("NUL."), {}).status_code == 400

    def test_of_a_field_names_the_field_and_the_most_telling_code(self):
        error = exceptions.ValidationError(
            {"turns": [{"content": [exceptions.ErrorDetail("NUL.", "null_characters_not_allowed")]}]}
        )

        answer = answer_refusal(error, {})

        assert answer.data["code"] == "unusable_text"
        assert "turns" in answer.data["fields"]

    def test_of_a_busy_database_names_no_locks(self):
        answer = answer_refusal(OperationalError("database is locked"), {})

        assert (answer.status_code, answer.data["code"]) == (503, "busy")
        assert "locked" not in answer.data["detail"]

    def test_that_is_a_mistake_of_ours_is_left_to_django(self):
        assert answer_refusal(ZeroDivisionError(), {}) is None


@pytest.fixture
def ada(db):
    return Person.objects.create_user("ada", password="correct horse")


class TestTheApi:
    def test_tells_a_stranger_to_sign_in(self, client, db):
        answer = client.get("/api/me")

        assert answer.json()["code"] == "not_authenticated"

    def test_says_what_is_not_there(self, client, ada):
        client.force_login(ada)

        answer = client.get("/api/campaigns/404/guideline")

        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_names_broken_json(self, client, db):
        answer = client.post("/api/session", '{"username": ', content_type="application/json")

        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")

    def test_refuses_what_is_too_large(self, client, db):
        body = json.dumps({"username": "ada", "password": 3_000_000 * "x"})

        answer = client.post("/api/session", body, content_type="application/json")

        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    def test_locks_out_who_guesses(self, client, ada):
        guess = json.dumps({"username": "ada", "password": "wrong"})

        answers = [client.post("/api/session", guess, content_type="application/json") for _ in range(9)]

        assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "locked_out")


class TestAPage:
    @pytest.mark.parametrize(("language", "words"), [("en", "not for your account"), ("zh-hans", "您的账号")])
    def test_that_is_not_for_somebody_says_so_in_their_language(self, client, ada, language, words):
        ada.is_staff, ada.role = True, Person.Role.RESEARCHER
        ada.save()
        client.force_login(ada)

        answer = client.get("/admin/trainer/run/add/", headers={"accept-language": language})

        assert answer.status_code == 403
        assert words in answer.content.decode()

    def test_that_is_not_there_leads_on(self, client):
        answer = client.get("/no/such/page")

        assert answer.status_code == 404
        assert '<a href="/admin/">' in answer.content.decode()

    def test_that_failed_says_what_to_do(self, rf):
        answer = server_error(rf.get("/"))

        assert answer.status_code == 500
        assert "Try again in a moment" in answer.content.decode()
