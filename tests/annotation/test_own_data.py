"""Through HTTP: consent, and what one may see and ask of one's own data."""

import json

import pytest
from django.test import Client

from annotation.actions.consents import publish_consent_text
from annotation.actions.demonstrations import claim_demonstration
from annotation.models import Consent, ErasureRequest
from tests.annotation.test_api import judgement, post
from tests.annotation.test_erasure import write
from tests.annotation.test_submit_ranking import submit
from tests.conftest import NOON

OWN = ["/api/me/data", "/api/me/contributions"]


def client_of(person):
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def signed_in(ada):
    return client_of(ada)


@pytest.fixture
def terms(kitchen):
    return publish_consent_text(campaign=kitchen, text="We **keep** what you write.", now=NOON)


@pytest.fixture
def url(kitchen):
    return f"/api/campaigns/{kitchen.pk}/consent"


class TestConsent:
    def test_is_not_asked_for_without_a_text(self, signed_in, url):
        answer = signed_in.get(url)

        assert answer.json() == {"text": None, "agreed_version": None, "given_at": None, "is_needed": False}

    def test_is_read_given_and_withdrawn(self, signed_in, url, terms):
        before = signed_in.get(url).json()
        given = post(signed_in, url, {"version": 1}).json()
        withdrawn = signed_in.delete(url).json()

        assert (before["text"]["text"], before["is_needed"]) == ("We **keep** what you write.", True)
        assert (given["agreed_version"], given["is_needed"]) == (1, False)
        assert (withdrawn["agreed_version"], withdrawn["is_needed"]) == (None, True)

    def test_to_a_text_that_is_no_longer_the_current_is_refused(self, signed_in, url, kitchen, terms):
        publish_consent_text(campaign=kitchen, text="We publish it.", now=NOON)

        answer = post(signed_in, url, {"version": 1})

        assert (answer.status_code, answer.json()["code"]) == (409, "consent_outdated")
        assert not Consent.objects.exists()

    @pytest.mark.parametrize("work", ["assignments", "demonstrations"])
    def test_comes_before_the_work(self, signed_in, url, kitchen, soup_set, terms, work):
        asked = f"/api/campaigns/{kitchen.pk}/{work}"

        refused = post(signed_in, asked, {"count": 1})
        post(signed_in, url, {"version": 1})
        handed_out = post(signed_in, asked, {"count": 1})

        assert (refused.status_code, refused.json()["code"]) == (409, "consent_needed")
        assert handed_out.status_code == 200

    def test_to_a_newer_text_does_not_turn_a_submission_into_an_error(
        self, signed_in, url, kitchen, soup_set, terms
    ):
        post(signed_in, url, {"version": 1})
        claimed = post(signed_in, f"/api/campaigns/{kitchen.pk}/assignments", {"count": 1}).json()
        assignment = claimed["assignments"][0]
        publish_consent_text(campaign=kitchen, text="We publish it.", now=NOON)

        answer = post(signed_in, f"/api/assignments/{assignment['id']}/ranking", judgement(assignment))

        assert (answer.status_code, answer.json()["next"]) == (201, [])

    @pytest.mark.parametrize("version", ["one", 0, -1, None, 2**70])
    def test_is_for_a_version_by_its_number(self, signed_in, url, terms, version):
        assert post(signed_in, url, {"version": version}).status_code in {400, 409}


class TestOwnData:
    def test_counts_what_is_recorded(self, signed_in, kitchen, soup, soup_set, ada, claim, terms):
        Consent.objects.create(text=terms, labeler=ada, given_at=NOON)
        submit(claim(kitchen, ada), ada)
        claim_demonstration(campaign=kitchen, labeler=ada)

        told = signed_in.get("/api/me/data").json()

        (campaign,) = told["campaigns"]
        assert (campaign["name"], campaign["rankings"], campaign["drafts"]) == ("Kitchen", 1, 1)
        assert [(c["version"], c["text"], c["withdrawn_at"]) for c in told["consents"]] == [
            (1, "We **keep** what you write.", None)
        ]
        assert told["account"]["username"] == "ada"
        assert told["erasure"] is None

    def test_can_be_taken_along(self, signed_in, kitchen, soup_set, soup, ada, claim):
        ranking, _ = submit(claim(kitchen, ada), ada)
        written = write(kitchen, ada)

        answer = signed_in.get("/api/me/contributions")

        taken = json.loads(b"".join(answer.streaming_content))
        assert [row["tiers"] for row in taken["rankings"]] == [ranking.tiers]
        assert [row["turns"] for row in taken["demonstrations"]] == [written.turns]
        assert taken["account"]["username"] == "ada"
        assert "attachment" in answer.headers["Content-Disposition"]

    def test_is_nobody_elses(self, kitchen, soup_set, soup, ada, ben, rhea, claim, terms):
        for person in (ada, ben):
            Consent.objects.create(text=terms, labeler=person, given_at=NOON)
        submit(claim(kitchen, ada), ada)
        write(kitchen, ada)

        for person in (ben, rhea):
            client = client_of(person)
            told = client.get("/api/me/data").json()
            taken = json.loads(b"".join(client.get("/api/me/contributions").streaming_content))
            assert told["campaigns"] == []
            assert (taken["rankings"], taken["demonstrations"]) == ([], [])
            assert len(taken["consents"]) == (person == ben)

    def test_names_no_candidate_writer_and_no_purpose(self, signed_in, kitchen, soup_set, ada, claim):
        submit(claim(kitchen, ada), ada)

        text = b"".join(signed_in.get("/api/me/contributions").streaming_content).decode()

        assert not {"purpose", "gold", "checkpoint", "author"} & set(json.loads(text)["rankings"][0])


class TestAskingForErasure:
    def test_is_remembered_changed_and_taken_back(self, signed_in, ada):
        asked = post(signed_in, "/api/me/erasure", {"mode": "removed"}).json()
        changed = post(signed_in, "/api/me/erasure", {"mode": "anonymised"}).json()
        taken_back = signed_in.delete("/api/me/erasure").json()

        assert (asked["erasure"]["mode"], changed["erasure"]["mode"]) == ("removed", "anonymised")
        assert taken_back["erasure"] is None
        assert not ErasureRequest.objects.exists()

    def test_is_for_oneself(self, signed_in, ada, ben):
        post(signed_in, "/api/me/erasure", {"mode": "removed", "person": ben.pk, "username": "ben"})

        assert ErasureRequest.objects.get().person == ada

    def test_in_another_way_is_refused(self, signed_in):
        assert post(signed_in, "/api/me/erasure", {"mode": "gently"}).status_code == 400


class TestWithoutASession:
    @pytest.mark.parametrize("method", ["get", "post", "delete"])
    @pytest.mark.parametrize("path", [*OWN, "/api/me/erasure", "/api/campaigns/1/consent"])
    def test_nothing_is_told(self, db, method, path):
        answer = getattr(Client(), method)(path)

        assert (answer.status_code, answer.json()["code"]) == (403, "not_authenticated")
