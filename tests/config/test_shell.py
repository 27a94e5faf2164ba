"""The page that carries the app is its reader's from the first byte."""

import pytest

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
