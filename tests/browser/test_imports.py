"""An import's page is brought up to date without a reload, and under nobody's hands."""

import pytest
from playwright.sync_api import expect

from annotation import doorbell
from annotation.actions.import_queue import run_next_import, start_import
from annotation.models import Campaign, Person
from tests.conftest import NOON

SOON = 10_000


@pytest.fixture
def visitor(visit, transactional_db, monkeypatch):
    monkeypatch.setattr(doorbell, "_ring", lambda task: None)
    rhea = Person.objects.create_user(
        "rhea", password="correct horse", role=Person.Role.RESEARCHER, is_staff=True
    )
    waiting = start_import(
        campaign=Campaign.objects.create(name="Kitchen"),
        format_name="prompts",
        file_name="soup.jsonl",
        chunks=[b'{"prompt": "Soup?"}\nnot json\n'],
        created_by=rhea,
        now=NOON,
    )
    visitor = visit()
    visitor.enter(rhea, f"/admin/annotation/import/{waiting.pk}/change/")
    return visitor


class TestAnImportsPage:
    def test_tells_how_it_ended_without_a_reload(self, visitor):
        cancel = visitor.page.get_by_role("button", name="Cancel the import")
        cancel.focus()
        visitor.page.evaluate("window.untouched = true")
        # Long enough for the page to have looked once: nothing has changed, so the button keeps its focus.
        visitor.page.wait_for_timeout(2500)
        expect(cancel).to_be_focused()

        run_next_import(clock=lambda: NOON)

        expect(visitor.page.locator("[data-live=progress]")).to_contain_text("malformed_json", timeout=SOON)
        expect(visitor.page.locator("[data-live-on]")).to_have_count(0)
        assert visitor.page.evaluate("window.untouched")
