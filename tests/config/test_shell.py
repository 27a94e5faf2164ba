"""The page that carries the app is its reader's from the first byte."""

import pytest
from django.contrib.staticfiles import finders

from annotation.models import Person

BUILT = '<html lang="{{ language }}" data-theme="{{ theme }}">'


@pytest.fixture
def built(settings, tmp_path):
    """A page as Vite leaves it, whether or not it was built here."""
    (tmp_path / "index.html").write_text(BUILT)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]


@pytest.mark.usefixtures("built", "db")
class TestTheApp:
    @pytest.mark.parametrize(("asked", "language"), [("zh-CN,en", "zh-Hans"), ("fr,en", "en"), ("", "en")])
    def test_says_which_language_it_is_in(self, client, asked, language):
        page = client.get("/app/", headers={"Accept-Language": asked}).text

        assert f'lang="{language}"' in page

    @pytest.mark.parametrize(
        ("preferences", "theme"),
        [({"theme": "dark"}, "dark"), ({}, "system"), ({"theme": '"><script>'}, "system")],
    )
    def test_has_the_theme_of_who_is_signed_in_before_any_script(self, client, preferences, theme):
        client.force_login(Person.objects.create_user("ada", preferences=preferences))

        assert f'data-theme="{theme}"' in client.get("/app/settings").text

    def test_has_the_systems_theme_for_strangers(self, client):
        assert 'data-theme="system"' in client.get("/app/").text


class TestTheWorker:
    """Of the page, which has it open without a network."""

    @pytest.fixture
    def built(self, settings, tmp_path):
        (tmp_path / "sw.js").write_text("addEventListener('fetch', answer)")
        settings.STATICFILES_DIRS = [("app", tmp_path)]
        finders.get_finder.cache_clear()
        yield
        finders.get_finder.cache_clear()

    def test_is_found_where_it_works_for_the_app_and_is_never_an_old_one(self, client, built):
        worker = client.get("/app/sw.js")

        assert b"".join(worker.streaming_content) == b"addEventListener('fetch', answer)"
        assert worker["Content-Type"] == "text/javascript"
        assert "no-cache" in worker["Cache-Control"]

    def test_is_not_there_before_the_screens_are_built(self, client, settings):
        settings.STATICFILES_DIRS = []
        finders.get_finder.cache_clear()

        assert client.get("/app/sw.js").status_code == 404
        finders.get_finder.cache_clear()
