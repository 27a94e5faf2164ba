"""Versions of what labelers are told, and who said that they read them."""

from django.test import Client

from annotation.actions.campaigns import publish_guideline
from annotation.models import Acknowledgement, Campaign
from tests.conftest import NOON


def client_of(person):
    client = Client()
    client.force_login(person)
    return client


def acknowledge(client, campaign, version):
    return client.post(f"/api/campaigns/{campaign.pk}/guidelines/{version}/acknowledgement")


class TestGuidelines:
    def test_keep_their_old_versions_readable(self, ada, kitchen):
        publish_guideline(campaign=kitchen, text="Be kind and brief.", now=NOON)
        client = client_of(ada)

        listed = client.get(f"/api/campaigns/{kitchen.pk}/guidelines").json()
        first = client.get(f"/api/campaigns/{kitchen.pk}/guidelines/1").json()

        assert [version["version"] for version in listed] == [2, 1]
        assert (first["text"], first["acknowledged_at"]) == ("Be kind.", None)
        assert client.get(f"/api/campaigns/{kitchen.pk}/guidelines/3").status_code == 404

    def test_are_acknowledged_once_however_often_it_is_said(self, ada, ben, kitchen):
        client = client_of(ada)

        said = [acknowledge(client, kitchen, 1) for _ in range(2)]

        assert [answer.status_code for answer in said] == [200, 200]
        assert said[0].json() == said[1].json()
        assert Acknowledgement.objects.get().labeler == ada
        (theirs,) = client_of(ben).get(f"/api/campaigns/{kitchen.pk}/guidelines").json()
        assert theirs["acknowledged_at"] is None

    def test_are_acknowledged_in_their_current_version_only(self, ada, kitchen):
        publish_guideline(campaign=kitchen, text="Be kind and brief.", now=NOON)
        client = client_of(ada)

        old, unheard_of = acknowledge(client, kitchen, 1), acknowledge(client, kitchen, 3)

        assert (old.status_code, old.json()["code"]) == (409, "guideline_outdated")
        assert unheard_of.json()["code"] == "guideline_outdated"
        assert not Acknowledgement.objects.exists()

    def test_tell_the_list_of_campaigns_what_is_new_to_whom(self, ada, ben, kitchen):
        acknowledge(client_of(ada), kitchen, 1)
        publish_guideline(campaign=kitchen, text="Be kind and brief.", now=NOON)
        Campaign.objects.create(name="Without")

        hers, without = client_of(ada).get("/api/campaigns").json()
        (his, _without) = client_of(ben).get("/api/campaigns").json()

        assert (hers["guideline_version"], hers["acknowledged_version"]) == (2, 1)
        assert (his["guideline_version"], his["acknowledged_version"]) == (2, 0)
        assert (without["guideline_version"], without["acknowledged_version"]) == (0, 0)

    def test_tell_researchers_how_many_read_the_current_version(self, admin, ada, ben, kitchen):
        acknowledge(client_of(ben), kitchen, 1)
        publish_guideline(campaign=kitchen, text="Be kind and brief.", now=NOON)
        acknowledge(client_of(ada), kitchen, 2)

        page = admin.get(f"/admin/annotation/campaign/{kitchen.pk}/change/").content.decode()

        assert "1 labeler has read version 2" in page

    def test_need_a_session(self, kitchen):
        answer = acknowledge(Client(), kitchen, 1)

        assert (answer.status_code, answer.json()["code"]) == (403, "not_authenticated")
