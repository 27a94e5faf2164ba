"""Exports in the admin: asked for on a form, and followed to their end."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation.models import Person
from trainer import dispatch
from trainer.actions.exporting import execute_next_export
from trainer.actions.snapshots import freeze_snapshot
from trainer.models import Export

# The page looks every two seconds.
SOON = 10_000


@pytest.fixture
def snapshot(kitchen):
    return freeze_snapshot(campaign=kitchen, kind="prompts", created_by=None, now=timezone.now())


@pytest.fixture
def visitor(visit, transactional_db, snapshot, monkeypatch):
    monkeypatch.setattr(dispatch, "ring_for_export", lambda: None)
    rhea = Person.objects.create_user(
        "rhea", password="correct horse", role=Person.Role.RESEARCHER, is_staff=True
    )
    visitor = visit()
    visitor.enter(rhea, f"/admin/trainer/snapshot/{snapshot.pk}/export/")
    return visitor


@pytest.fixture
def queued(visitor):
    visitor.page.get_by_role("button", name="Export", exact=True).click()
    expect(visitor.page.locator("[data-live-on]")).to_be_visible()
    # Gone after a reload: shows that there was none.
    visitor.page.evaluate("window.untouched = true")
    return Export.objects.get()


def work():
    execute_next_export(clock=timezone.now, stopping=lambda: False)


class TestTheList:
    def test_tells_when_an_export_is_done_without_a_reload(self, visitor, queued):
        work()

        expect(visitor.page.get_by_role("link", name="Download")).to_be_visible(timeout=SOON)
        expect(visitor.page.locator("[data-live]")).to_contain_text("100")
        expect(visitor.page.locator("[data-live-on]")).to_have_count(0)
        assert visitor.page.evaluate("window.untouched")


class TestAnExportsPage:
    def test_brings_its_download(self, visitor, queued):
        visitor.go(f"/admin/trainer/export/{queued.pk}/change/")
        visitor.page.evaluate("window.untouched = true")
        work()

        expect(visitor.page.get_by_role("link", name="Download")).to_be_visible(timeout=SOON)
        assert visitor.page.evaluate("window.untouched")
        assert visitor.barriers(".desk") == []

    def test_cancels(self, visitor, queued):
        visitor.go(f"/admin/trainer/export/{queued.pk}/change/")

        visitor.page.get_by_role("button", name="Cancel the export").click()

        expect(visitor.page.get_by_role("status")).to_contain_text("Cancelled")
