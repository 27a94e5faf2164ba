import gzip
import io
import json

import pytest
from django.test import Client

from annotation.actions.prompts import add_prompt
from annotation.admin import imports
from annotation.models import Campaign, Prompt
from tests.annotation.test_submit_ranking import submit

PAGES = ["campaign", "prompt", "candidateset", "ranking", "demonstration", "person"]


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
            return admin.post("/admin/annotation/prompt/import/", form, follow=True)

        return post

    @staticmethod
    def told(answer):
        return [str(message) for message in answer.context["messages"]]

    def test_keeps_good_rows_and_names_bad_ones(self, upload):
        bad = [
            b"not json",
            b'{"prompt": "Tea\xff"}',
            b'{"prompt": "Tea\\u0000"}',
            b'{"prompt": "Tea \\ud83c"}',
            b'{"prompt": "' + b"x" * 1_000_000 + b'"}',
            b'{"messages": [{"role": "wizard", "content": "Abracadabra"}]}',
            b'{"prompt": "Tea?", "completions": ["Brew.", "Boil."], "tiers": [[0], [0]]}',
            b'{"prompt": "Tea?", "completions": ["Brew.", "Boil."], "tiers": [[0]]}',
        ]

        answer = upload(b"\n".join([b'{"prompt": "Soup?"}', *bad]))

        told = self.told(answer)
        assert told[0] == "Added: 1 prompt."
        assert [words.split(" was")[0] for words in told[1:]] == [f"Line {line}" for line in range(2, 10)]
        assert [str(prompt) for prompt in Prompt.objects.all()] == ["Soup?"]

    def test_says_how_many_more_lines_are_bad(self, upload):
        answer = upload(b'{"prompt": "Soup?"}\n' + b"not json\n" * 12)

        assert self.told(answer)[-1] == "and 2 more lines"

    def test_reads_gzip_from_a_temporary_file(self, upload, settings):
        settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0

        answer = upload(gzip.compress(b'{"prompt": "Soup?"}'))

        assert self.told(answer) == ["Added: 1 prompt."]

    def test_counts_what_came_with_the_prompts(self, upload):
        soup = "\n\nHuman: Soup?\n\nAssistant: "
        row = json.dumps({"chosen": soup + "Boil it.", "rejected": soup + "No."}).encode()

        first, again = upload(row, "hh-rlhf"), upload(row, "hh-rlhf")

        assert self.told(first) == ["Added: 1 prompt, 1 candidate set, 1 ranking."]
        assert self.told(again) == ["There already: 1 prompt, 1 candidate set, 1 ranking."]

    def test_says_when_nothing_could_be_used(self, upload):
        assert self.told(upload(b"not json"))[0] == "Nothing in this file could be imported."

    def test_sends_large_files_to_the_command(self, upload, monkeypatch):
        monkeypatch.setattr(imports, "MAX_BYTES", 10)

        answer = upload(b'{"prompt": "Soup?"}')

        assert "manage.py import_data" in answer.content.decode()
        assert not Prompt.objects.exists()


class TestResearchersWithAccessToTheAdmin:
    @pytest.fixture
    def admin(self, rhea):
        rhea.is_staff = True
        rhea.save()
        client = Client()
        client.force_login(rhea)
        return client

    @pytest.mark.parametrize("page", ["campaign", "campaign/add", "prompt", "prompt/import", "ranking"])
    def test_need_no_rights_but_their_role(self, admin, page):
        assert admin.get(f"/admin/annotation/{page}/").status_code == 200

    def test_do_not_hand_out_accounts(self, admin):
        assert admin.get("/admin/annotation/person/").status_code == 403


def test_labelers_with_access_to_the_admin_see_no_judgements(ada, client):
    ada.is_staff = True
    ada.save()
    client.force_login(ada)

    for page in ["campaign", "prompt", "prompt/import", "candidateset", "ranking", "demonstration"]:
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


def test_labelers_have_no_business_here(ada, client):
    client.force_login(ada)

    assert client.get("/admin/annotation/ranking/").status_code == 302


def test_history_cannot_be_deleted(admin, claimed, ada):
    ranking, _ = submit(claimed, ada)

    answer = admin.post(f"/admin/annotation/ranking/{ranking.pk}/delete/", {"post": "yes"})

    assert answer.status_code == 403
    assert json.dumps(ranking.tiers)


def test_texts_keep_their_lines_below_who_said_them(admin, kitchen):
    prompt, _ = add_prompt(campaign=kitchen, messages=[{"role": "user", "content": "Soup?\nToday!"}])

    page = admin.get(
        f"/admin/annotation/prompt/{prompt.pk}/change/", headers={"Accept-Language": "zh-CN"}
    ).content.decode()

    assert "<strong>用户</strong>\nSoup?\nToday!" in page
    assert "white-space: pre-line" in page
