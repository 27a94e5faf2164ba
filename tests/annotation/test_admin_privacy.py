"""Consent, erasure and retention in the admin panel, and the command."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.actions.consents import give_consent, publish_consent_text
from annotation.actions.erasure import ask_for_erasure, carry_out_erasures
from annotation.admin.campaigns import CampaignAdmin
from annotation.models import Campaign, ErasureRequest, Person, Ranking, Tombstone
from tests.annotation.test_submit_ranking import submit
from tests.conftest import NOON


@pytest.fixture
def admin(rhea):
    rhea.is_staff = True
    rhea.save()
    client = Client()
    client.force_login(rhea)
    return client


def erase_url(person):
    return reverse("admin:annotation_erase_person", args=[person.pk])


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("page", ["consent", "erasurerequest"])
def test_every_list_opens(admin, kitchen, ada, page, language):
    publish_consent_text(campaign=kitchen, text="We keep it.", now=NOON)
    give_consent(campaign=kitchen, labeler=ada, version=1, now=NOON)
    ask_for_erasure(person=ada, mode="removed", now=NOON)

    answer = admin.get(f"/admin/annotation/{page}/", headers={"Accept-Language": language})

    assert answer.status_code == 200
    assert "ada" in answer.content.decode()


def test_labelers_with_access_to_the_admin_see_none_of_it(ada, ben, client):
    ada.is_staff = True
    ada.save()
    client.force_login(ada)

    for url in ["/admin/annotation/consent/", "/admin/annotation/erasurerequest/", erase_url(ben)]:
        assert client.get(url).status_code == 403
    assert client.post(erase_url(ben), {"mode": "removed", "username": "ben"}).status_code == 403
    assert not ErasureRequest.objects.exists()


def test_a_consent_text_is_published_as_its_next_version(admin, kitchen):
    publish_consent_text(campaign=kitchen, text="We keep it.", now=NOON)
    page = f"/admin/annotation/campaign/{kitchen.pk}/change/"
    as_it_is = admin.get(page).context["adminform"].form.initial

    answer = admin.post(
        page,
        {
            **{name: value for name, value in as_it_is.items() if value not in (None, [])},
            "rating_axes": "[]",
            "guidelines-TOTAL_FORMS": 0,
            "guidelines-INITIAL_FORMS": 0,
            "consent_texts-TOTAL_FORMS": 2,
            "consent_texts-INITIAL_FORMS": 1,
            "consent_texts-0-id": kitchen.consent_texts.get().pk,
            "consent_texts-0-campaign": kitchen.pk,
            "consent_texts-0-text": "We sell it.",
            "consent_texts-1-campaign": kitchen.pk,
            "consent_texts-1-text": "We publish it.",
        },
    )

    assert answer.status_code == 302
    assert list(kitchen.consent_texts.order_by("version").values_list("version", "text")) == [
        (1, "We keep it."),
        (2, "We publish it."),
    ]


class TestErasing:
    def test_shows_what_will_go(self, admin, kitchen, claimed, ada):
        submit(claimed, ada)
        ask_for_erasure(person=ada, mode="anonymised", now=NOON)

        page = admin.get(erase_url(ada))

        assert ("Rankings", 1, "as chosen below") in page.context["preview"]
        assert page.context["form"].initial["mode"] == "anonymised"

    def test_is_approved_with_the_name_typed_and_then_carried_out(self, admin, claimed, ada, rhea):
        submit(claimed, ada)

        answer = admin.post(erase_url(ada), {"mode": "removed", "username": "ada"})

        assert answer.status_code == 302
        assert ErasureRequest.objects.get().approved_by == rhea
        carry_out_erasures(now=timezone.now())
        assert not Ranking.objects.exists()
        assert not Person.objects.filter(username="ada").exists()

    @pytest.mark.parametrize("typed", ["", "Ada", "ben"])
    def test_needs_the_name_typed_as_it_is(self, admin, ada, typed):
        answer = admin.post(erase_url(ada), {"mode": "removed", "username": typed})

        assert answer.status_code == 200
        assert answer.context["form"].errors["username"]
        assert not ErasureRequest.objects.exists()

    def test_oneself_is_refused_in_words(self, admin, rhea):
        Person.objects.create_user("rob", role=Person.Role.RESEARCHER)

        answer = admin.post(erase_url(rhea), {"mode": "removed", "username": "rhea"})

        assert "You cannot erase your own account" in answer.content.decode()
        assert not ErasureRequest.objects.exists()

    def test_is_reached_from_the_account_by_who_manages_accounts(self, admin, rhea, ada):
        rhea.is_superuser = True
        rhea.save()
        page = admin.get(f"/admin/annotation/person/{ada.pk}/change/").content.decode()
        answer = admin.get(reverse("admin:annotation_person_erase", args=[ada.pk]))

        assert reverse("admin:annotation_person_erase", args=[ada.pk]) in page
        assert answer.headers["Location"] == erase_url(ada)

    def test_people_are_not_deleted_instead(self, admin, rhea, ada):
        rhea.is_superuser = True
        rhea.save()

        answer = admin.post(f"/admin/annotation/person/{ada.pk}/delete/", {"post": "yes"})

        assert answer.status_code == 403
        assert Person.objects.filter(pk=ada.pk).exists()


def test_a_campaign_says_how_much_its_retention_concerns(admin, kitchen, claimed, ada):
    submit(claimed, ada)
    page = CampaignAdmin(Campaign, None)
    assert page.outlived(kitchen) == "–"

    kitchen.retention_days = 1
    Ranking.objects.update(submitted_at=timezone.now() - timedelta(days=2))

    assert page.outlived(kitchen).startswith("1 contribution,")


class TestTheCommand:
    def test_erases_after_the_name_was_typed(self, claimed, ada, monkeypatch, capsys):
        submit(claimed, ada)
        monkeypatch.setattr("builtins.input", lambda _: "ada")

        call_command("erase_person", "ada", mode="anonymised")

        assert "anonymised: 1 rankings" in capsys.readouterr().out
        assert Tombstone.objects.get().mode == "anonymised"
        with pytest.raises(CommandError, match="nobody called 'ada'"):
            call_command("erase_person", "ada", mode="anonymised")

    def test_does_nothing_otherwise(self, ada, monkeypatch):
        monkeypatch.setattr("builtins.input", lambda _: "yes")

        with pytest.raises(CommandError, match="Nothing was erased"):
            call_command("erase_person", "ada", mode="removed")

        assert Person.objects.filter(username="ada").exists()

    def test_keeps_the_last_researcher(self, rhea):
        with pytest.raises(CommandError, match="last researcher"):
            call_command("erase_person", "rhea", mode="removed", yes=True)
