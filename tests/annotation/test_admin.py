import gzip
import io
import json
import random
import re

import pytest
from django.test import Client

from annotation import personal_data
from annotation.actions import import_queue
from annotation.actions.demonstrations import claim_demonstration
from annotation.actions.import_queue import run_next_import
from annotation.actions.prompts import add_prompt
from annotation.actions.suggestions import show_suggestion
from annotation.models import Campaign, Import, Prompt
from tests.annotation.test_submit_ranking import submit
from tests.conftest import NOON

PAGES = ["campaign", "prompt", "import", "candidateset", "ranking", "demonstration", "person"]


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
    prompt, _ = add_prompt(
        campaign=kitchen, messages=[{"role": "user", "content": "<script>alert(1)</script>"}]
    )

    page = admin.get(f"/admin/annotation/prompt/{prompt.pk}/change/").content.decode()

    assert "<script>alert(1)" not in page


class TestImporting:
    @pytest.fixture
    def upload(self, admin, kitchen):
        def post(content, format_name="prompts"):
            file = io.BytesIO(content)
            file.name = "prompts.jsonl"
            form = {"campaign": kitchen.pk, "format": format_name, "file": file}
            return admin.post("/admin/annotation/import/add/", form, follow=True)

        return post

    @pytest.fixture
    def show(self, admin):
        def get():
            run_next_import(clock=lambda: NOON)
            return admin.get(f"/admin/annotation/import/{Import.objects.get().pk}/change/").content.decode()

        return get

    def test_leads_to_a_page_that_follows_it(self, upload):
        page = upload(b'{"prompt": "Soup?"}').content.decode()

        assert "data-live-on" in page
        assert "Cancel the import" in page

    def test_keeps_good_rows_and_names_bad_ones(self, upload, show):
        bad = [b"not json", b'{"prompt": "Tea\xff"}', b'{"prompt": "Tea\\u0000"}']

        upload(b"\n".join([b'{"prompt": "Soup?"}', *bad]))
        page = show()

        assert "data-live-on" not in page
        assert "1 prompt" in page
        assert page.count("<code>unusable_text</code>") == 2
        assert "<code>malformed_json</code>" in page

    def test_says_how_many_more_lines_are_bad(self, upload, show):
        upload(b'{"prompt": "Soup?"}\n' + b"not json\n" * 102)

        assert "and 2 more lines" in show()

    def test_reads_gzip_from_a_temporary_file(self, upload, show, settings):
        settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0
        upload(gzip.compress(b'{"prompt": "Soup?"}'))

        show()

        assert Prompt.objects.count() == 1

    def test_counts_what_came_with_the_prompts(self, upload, show):
        soup = "\n\nHuman: Soup?\n\nAssistant: "

        upload(json.dumps({"chosen": soup + "Boil it.", "rejected": soup + "No."}).encode(), "hh-rlhf")

        assert "1 prompt, 1 candidate set, 1 ranking" in show()

    def test_escapes_what_the_file_says(self, upload, show):
        upload(json.dumps({"messages": [{"role": "<b>wizard</b>", "content": "Hi"}]}).encode())

        page = show()
        assert "wizard" in page
        assert "<b>wizard" not in page

    def test_refuses_a_file_that_is_too_large_in_words(self, upload, monkeypatch):
        monkeypatch.setattr(import_queue, "MAX_BYTES", 10)

        answer = upload(b'{"prompt": "Soup?"}')

        assert "A file can have at most" in answer.content.decode()
        assert not Import.objects.exists()

    def test_is_cancelled_by_a_button(self, upload, admin):
        upload(b'{"prompt": "Soup?"}')
        row = Import.objects.get()

        page = admin.post(f"/admin/annotation/import/{row.pk}/cancel/", follow=True).content.decode()

        assert "Cancelled" in page
        assert admin.get(f"/admin/annotation/import/{row.pk}/cancel/").status_code == 405

    def test_is_deleted_once_it_is_over(self, upload, admin):
        upload(b'{"prompt": "Soup?"}')
        page = f"/admin/annotation/import/{Import.objects.get().pk}/delete/"

        early = admin.post(page, {"post": "yes"})
        run_next_import(clock=lambda: NOON)
        admin.post(page, {"post": "yes"})

        assert early.status_code == 403
        assert not Import.objects.exists()
        assert Prompt.objects.exists()

    @pytest.mark.parametrize("url", ["add", "{pk}/cancel", "{pk}/delete"])
    def test_is_for_researchers(self, upload, ada, url):
        upload(b'{"prompt": "Soup?"}')
        ada.is_staff = True
        ada.save()
        client = Client()
        client.force_login(ada)

        answer = client.post(f"/admin/annotation/import/{url.format(pk=Import.objects.get().pk)}/")

        assert answer.status_code == 403


class TestHeldPrompts:
    @pytest.fixture
    def held(self, kitchen):
        prompt, _ = add_prompt(campaign=kitchen, messages=[{"role": "user", "content": "Ask <Ann> now!"}])
        finding = {"kind": "email_address", "message": 0, "start": 4, "end": 9}
        Prompt.objects.filter(pk=prompt.pk).update(status="HELD", findings=[finding])
        prompt.refresh_from_db()
        return prompt

    def test_are_shown_with_what_was_found_in_them(self, admin, held):
        page = admin.get(f"/admin/annotation/prompt/{held.pk}/change/").content.decode()

        assert '<mark title="email address">&lt;Ann&gt;</mark> now!' in page

    @pytest.mark.parametrize(("decision", "status"), [("release", "READY"), ("reject", "REJECTED")])
    def test_are_decided_on_by_a_button(self, admin, held, decision, status):
        url = f"/admin/annotation/prompt/{held.pk}/{decision}/"
        page = admin.get(f"/admin/annotation/prompt/{held.pk}/change/").content.decode()

        after = admin.post(url, follow=True).content.decode()

        held.refresh_from_db()
        assert url in page
        assert url not in after
        assert held.status == status
        assert admin.get(url).status_code == 405

    @pytest.mark.parametrize(
        ("action", "status"), [("release_selected", "READY"), ("reject_selected", "REJECTED")]
    )
    def test_are_decided_on_together(self, admin, held, soup, action, status):
        chosen = {"action": action, "_selected_action": [held.pk, soup.pk]}

        page = admin.post("/admin/annotation/prompt/", chosen, follow=True).content.decode()

        held.refresh_from_db()
        soup.refresh_from_db()
        assert "1 prompt is re" in page
        assert (held.status, soup.status) == (status, "READY")

    @pytest.mark.parametrize("decision", ["release", "reject"])
    def test_are_for_researchers_to_decide_on(self, held, ada, decision):
        ada.is_staff = True
        ada.save()
        client = Client()
        client.force_login(ada)

        answer = client.post(f"/admin/annotation/prompt/{held.pk}/{decision}/")

        held.refresh_from_db()
        assert (answer.status_code, held.status) == (403, "HELD")


def test_scanning_cannot_be_switched_on_without_the_library(admin, kitchen, monkeypatch):
    monkeypatch.setattr(personal_data, "can_scan", lambda: False)
    page = admin.get(f"/admin/annotation/campaign/{kitchen.pk}/change/")
    form = page.context["adminform"].form
    sent = {name: value for name, value in form.initial.items() if value not in (None, [])}
    sent["scans_for_personal_data"] = "on"
    inline = {"guidelines-TOTAL_FORMS": 0, "guidelines-INITIAL_FORMS": 0}

    answer = admin.post(
        f"/admin/annotation/campaign/{kitchen.pk}/change/",
        {**sent, **inline, "scans_for_personal_data": "on"},
    )

    kitchen.refresh_from_db()
    assert "requirements/scan.txt" in answer.content.decode()
    assert not kitchen.scans_for_personal_data


class TestResearchersWithAccessToTheAdmin:
    @pytest.fixture
    def admin(self, rhea):
        rhea.is_staff = True
        rhea.save()
        client = Client()
        client.force_login(rhea)
        return client

    @pytest.mark.parametrize("page", ["campaign", "campaign/add", "prompt", "import/add", "ranking"])
    def test_need_no_rights_but_their_role(self, admin, page):
        assert admin.get(f"/admin/annotation/{page}/").status_code == 200

    def test_do_not_hand_out_accounts(self, admin):
        # They invite; whoever makes an account may set its password.
        assert admin.get("/admin/annotation/person/add/").status_code == 403


def test_labelers_with_access_to_the_admin_see_no_judgements(ada, client):
    ada.is_staff = True
    ada.save()
    client.force_login(ada)

    for page in ["campaign", "prompt", "import/add", "candidateset", "ranking", "demonstration"]:
        assert client.get(f"/admin/annotation/{page}/").status_code == 403


def test_a_new_guideline_gets_the_next_version(admin, kitchen):
    page = f"/admin/annotation/campaign/{kitchen.pk}/change/"
    as_it_is = admin.get(page).context["adminform"].form.initial

    answer = admin.post(
        page,
        {
            **{name: value for name, value in as_it_is.items() if value not in (None, [])},
            "rating_axes": "[]",
            "overlap": 2,
            "guidelines-TOTAL_FORMS": 2,
            "guidelines-INITIAL_FORMS": 1,
            "guidelines-0-id": kitchen.guidelines.get().pk,
            "guidelines-0-campaign": kitchen.pk,
            "guidelines-1-campaign": kitchen.pk,
            "guidelines-1-text": "Be kinder.",
            "consent_texts-TOTAL_FORMS": 0,
            "consent_texts-INITIAL_FORMS": 0,
        },
    )

    assert answer.status_code == 302
    assert Campaign.objects.get().overlap == 2
    assert list(kitchen.guidelines.order_by("version").values_list("version", "text")) == [
        (1, "Be kind."),
        (2, "Be kinder."),
    ]


def test_a_checklist_is_written_a_line_each(admin, kitchen):
    page = f"/admin/annotation/campaign/{kitchen.pk}/change/"
    as_it_is = admin.get(page).context["adminform"].form.initial
    versions = {
        f"{name}-{form}_FORMS": 0 for name in ("guidelines", "consent_texts") for form in ("TOTAL", "INITIAL")
    }
    sent = {name: value for name, value in as_it_is.items() if value not in (None, [])} | versions

    def save(checklist):
        return admin.post(page, {**sent, "rating_axes": "[]", "checklist": checklist})

    assert save("It answers.\r\n\n  No “maybe”. \nIt answers.").status_code == 302
    assert Campaign.objects.get().checklist == ["It answers.", "No “maybe”."]
    assert "It answers.\nNo “maybe”." in admin.get(page).content.decode()
    assert "200 characters" in save("x" * 201).content.decode()
    assert save("").status_code == 302
    assert Campaign.objects.get().checklist == []


def test_labelers_have_no_business_here(ada, client):
    client.force_login(ada)

    assert client.get("/admin/annotation/ranking/").status_code == 302


def test_history_cannot_be_deleted(admin, claimed, ada):
    ranking, _ = submit(claimed, ada)

    answer = admin.post(f"/admin/annotation/ranking/{ranking.pk}/delete/", {"post": "yes"})

    assert answer.status_code == 403
    assert json.dumps(ranking.tiers)


class TestDeletingACampaign:
    @pytest.fixture
    def delete(self, admin, kitchen):
        page = f"/admin/annotation/campaign/{kitchen.pk}/delete/"
        return lambda **options: admin.post(page, {"post": "yes"}, **options)

    def test_in_which_somebody_has_worked_is_refused_with_what_is_kept(self, delete, kitchen, soup_set, ada):
        kitchen.offers_suggestions = True
        kitchen.save()
        draft = claim_demonstration(campaign=kitchen, labeler=ada)
        show_suggestion(demonstration=draft, rng=random.Random(0))

        answer = delete()
        in_chinese = delete(headers={"Accept-Language": "zh-CN"}).content.decode()

        page = " ".join(answer.content.decode().split())
        assert answer.status_code == 200
        assert "would require deleting the following protected related objects" in page
        assert "<li> Candidate set </li> <li> Demonstration </li>" in page
        assert "permission" not in page
        assert "示范" in in_chinese and "权限" not in in_chinese
        assert Campaign.objects.filter(pk=kitchen.pk).exists()

    def test_in_which_nobody_has_is_done(self, delete, kitchen, soup):
        assert delete().status_code == 302
        assert not Campaign.objects.filter(pk=kitchen.pk).exists()


def test_texts_keep_their_lines_below_who_said_them(admin, kitchen):
    prompt, _ = add_prompt(campaign=kitchen, messages=[{"role": "user", "content": "Soup?\nToday!"}])

    page = admin.get(
        f"/admin/annotation/prompt/{prompt.pk}/change/", headers={"Accept-Language": "zh-CN"}
    ).content.decode()

    assert "<strong>用户</strong>\nSoup?\nToday!" in page
    assert "white-space: pre-line" in page


def test_a_chinese_list_tells_states_in_chinese(admin, soup):
    page = admin.get("/admin/annotation/prompt/", headers={"Accept-Language": "zh-hans"}).content.decode()

    [state] = re.findall(r'<td class="[^"]*field-state[^>]*>(.*?)</td>', page, re.DOTALL)
    assert "就绪" in state and "READY" not in state
