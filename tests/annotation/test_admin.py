import io
import json

import pytest
from django.test import Client

from annotation.models import Campaign, Prompt
from tests.annotation.test_submit_ranking import submit

PAGES = ["campaign", "prompt", "candidateset", "ranking", "demonstration", "person"]


@pytest.fixture
def admin(rhea):
    rhea.is_staff = rhea.is_superuser = True
    rhea.save()
    client = Client()
    client.force_login(rhea)
    return client


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_list_opens(admin, claimed, ada, page, language):
    submit(claimed, ada)

    answer = admin.get(f"/admin/annotation/{page}/", headers={"Accept-Language": language})

    assert answer.status_code == 200


def test_every_row_opens(admin, claimed, ada, kitchen, soup, soup_set):
    ranking, _ = submit(claimed, ada)

    for page, row in [
        ("campaign", kitchen),
        ("prompt", soup),
        ("candidateset", soup_set),
        ("ranking", ranking),
        ("person", ada),
    ]:
        assert admin.get(f"/admin/annotation/{page}/{row.pk}/change/").status_code == 200


def test_texts_are_escaped(admin, kitchen):
    from annotation.actions.prompts import add_prompt

    prompt, _ = add_prompt(
        campaign=kitchen, messages=[{"role": "user", "content": "<script>alert(1)</script>"}]
    )

    page = admin.get(f"/admin/annotation/prompt/{prompt.pk}/change/").content.decode()

    assert "<script>alert(1)" not in page


def test_importing_keeps_good_rows_and_names_bad_ones(admin, kitchen):
    file = io.BytesIO(b'{"prompt": "Soup?"}\n{"prompt": "Tea\xff"}\nnot json\n')
    file.name = "prompts.jsonl"

    answer = admin.post(
        "/admin/annotation/prompt/import",
        {"campaign": kitchen.pk, "format": "prompts", "file": file},
        follow=True,
    )

    told = [str(message) for message in answer.context["messages"]]
    assert Prompt.objects.count() == 1
    assert any("Line 2" in words for words in told)
    assert any("Line 3" in words for words in told)


def test_a_new_guideline_gets_the_next_version(admin, kitchen):
    answer = admin.post(
        f"/admin/annotation/campaign/{kitchen.pk}/change/",
        {
            "name": "Kitchen",
            "status": "ACTIVE",
            "overlap": 2,
            "demonstrations_per_prompt": 1,
            "lease_minutes": 45,
            "held_out_percent": 25,
            "guidelines-TOTAL_FORMS": 2,
            "guidelines-INITIAL_FORMS": 1,
            "guidelines-0-id": kitchen.guidelines.get().pk,
            "guidelines-0-campaign": kitchen.pk,
            "guidelines-1-campaign": kitchen.pk,
            "guidelines-1-text": "Be kinder.",
        },
    )

    assert answer.status_code == 302
    assert Campaign.objects.get().overlap == 2
    assert list(kitchen.guidelines.order_by("version").values_list("version", "text")) == [
        (1, "Be kind."),
        (2, "Be kinder."),
    ]


def test_labelers_have_no_business_here(ada, client):
    client.force_login(ada)

    assert client.get("/admin/annotation/ranking/").status_code == 302


def test_history_cannot_be_deleted(admin, claimed, ada):
    ranking, _ = submit(claimed, ada)

    answer = admin.post(f"/admin/annotation/ranking/{ranking.pk}/delete/", {"post": "yes"})

    assert answer.status_code == 403
    assert json.dumps(ranking.tiers)
