"""The one thing the screens know of Python: the committed OpenAPI schema."""

from pathlib import Path

from django.core.management import call_command

COMMITTED = Path(__file__).resolve().parents[1] / "frontend" / "openapi.yml"


class TestSchema:
    def test_what_is_committed_is_what_the_server_says_without_a_warning(self, tmp_path):
        generated = tmp_path / "openapi.yml"

        # Ends this test by SystemExit where drf-spectacular had to guess.
        call_command("spectacular", file=str(generated), validate=True, fail_on_warn=True)

        assert COMMITTED.read_text() == generated.read_text(), (
            "Stale: manage.py spectacular --fail-on-warn --file frontend/openapi.yml, "
            "then npm --prefix frontend run api"
        )
