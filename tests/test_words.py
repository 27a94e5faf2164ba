"""Every text on a screen has its translation. ``python -m config.words`` brings in new texts."""

import ast
import re

import pytest
from babel.messages.catalog import Catalog, Message
from django.test import Client

from config.words import FOLDERS, KEYWORDS, ROOT, catalogs, read_catalog, source_texts
from trainer.handoff.metrics import METRICS

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]")

MARKING_FILES = [
    path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if "gettext" in path.read_text()
]


@pytest.fixture(scope="module")
def source():
    return source_texts()


@pytest.fixture(params=catalogs(), ids=lambda path: path.parents[1].name)
def catalog(request):
    return read_catalog(request.param)


def messages(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def texts(catalog: Catalog) -> set[str]:
    return {f"{message.context}: {message.id}" for message in messages(catalog)}


def forms(text: str | tuple[str, ...]) -> tuple[str, ...]:
    """The text, or its singular and plural."""
    return (text,) if isinstance(text, str) else tuple(text)


def is_translated(message: Message) -> bool:
    return not message.fuzzy and all(forms(message.string))


def placeholders(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text))


def has_all_placeholders(message: Message) -> bool:
    # The plural may name a number that the singular spells out.
    wanted = placeholders(forms(message.id)[-1])
    return all(placeholders(form) == wanted for form in forms(message.string))


class TestCatalog:
    def test_has_every_text_of_the_source(self, catalog, source):
        assert texts(source) - texts(catalog) == set()

    def test_has_no_text_that_nothing_shows(self, catalog, source):
        assert texts(catalog) - texts(source) == set()

    def test_translates_each_of_them(self, catalog):
        assert [message.id for message in messages(catalog) if not is_translated(message)] == []

    def test_keeps_each_placeholder(self, catalog):
        assert [message.id for message in messages(catalog) if not has_all_placeholders(message)] == []


class TestSource:
    def test_gives_the_texts_of_code_and_of_templates(self, source):
        assert "Rank every response, or mark it as unacceptable." in source
        assert source["Import"].locations[0][0].endswith("import.html")

    def test_gives_plurals_together(self, source):
        assert source["%(count)d ranking"].id == ("%(count)d ranking", "%(count)d rankings")

    def test_gives_the_settings_and_metrics_that_run_pages_explain(self, source):
        assert "Passes over the demonstrations." in source
        assert METRICS["ref_kl"] in source

    def test_gives_what_the_theme_says_and_django_does_not_translate(self, source):
        assert "Type to search" in source
        assert "Home" not in source

    @pytest.mark.parametrize("path", MARKING_FILES, ids=lambda path: path.name)
    def test_marks_no_text_inside_an_f_string_where_it_would_not_be_found(self, path):
        f_strings = [
            node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.JoinedStr)
        ]
        calls = [node for f_string in f_strings for node in ast.walk(f_string) if isinstance(node, ast.Call)]

        assert [call.lineno for call in calls if getattr(call.func, "id", "") in KEYWORDS] == []


@pytest.mark.django_db
class TestAChineseBrowser:
    @pytest.mark.parametrize("accepted", ["zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"])
    def test_reads_refusals_in_chinese(self, accepted):
        wrong = {"username": "ada", "password": "wrong horse"}

        answer = Client().post(
            "/api/session", wrong, content_type="application/json", headers={"Accept-Language": accepted}
        )

        assert answer.json()["detail"] == "用户名或密码错误。"

    def test_reads_the_admin_in_chinese(self, admin_client):
        page = admin_client.get("/admin/annotation/import/add/", headers={"Accept-Language": "zh-CN"})

        assert "竞技场对战" in page.content.decode()


@pytest.mark.django_db
def test_another_browser_reads_refusals_in_english():
    wrong = {"username": "ada", "password": "wrong horse"}

    answer = Client().post(
        "/api/session", wrong, content_type="application/json", headers={"Accept-Language": "fr"}
    )

    assert answer.json()["detail"] == "The user name or the password is wrong."
