"""From chats to data: people say what they think of answers, an admin looks, makes it data and freezes it."""

import re

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from annotation.actions import feedback_data
from annotation.models import Demonstration, FeedbackUse, Person, Prompt, Ranking
from tests.annotation.chatting import guest, thumb
from tests.browser.test_chatting import replies, say
from trainer.models import Snapshot


@pytest.fixture(autouse=True)
def parrot(settings, transactional_db, monkeypatch):
    settings.CHAT_ANSWERER = "tests.annotation.parrot.Parrot"
    cache.clear()
    # Loading the scanner takes seconds, and what it finds has tests of its own.
    monkeypatch.setattr(feedback_data, "can_scan", lambda: False)


@pytest.fixture
def kitchen(kitchen):
    kitchen.offers_chat, kitchen.chat_allows_guests, kitchen.chat_compares_percent = True, True, 0
    kitchen.save()
    return kitchen


@pytest.fixture
def rhea(transactional_db):
    return Person.objects.create_user(
        "rhea", password="correct horse", role=Person.Role.RESEARCHER, is_staff=True
    )


def guest_likes_an_answer(visitor, kitchen):
    page = visitor.page
    visitor.expect_console(r"403 \(Forbidden\)")
    visitor.go(f"/app/chat/{kitchen.pk}")
    page.get_by_role("button", name="Start chatting").click()
    say(page, "Boil the egg")
    expect(replies(page)).to_contain_text("Boil the egg")
    with page.expect_response(re.compile("/training$")):
        page.get_by_role("button", name="Yes, they may").click()
    with page.expect_response(re.compile("/thumb$")):
        page.get_by_role("button", name="Good answer").click()


def labeler_writes_a_better_answer(visitor, labeler, kitchen):
    page = visitor.page
    visitor.enter(labeler, f"/app/chat/{kitchen.pk}")
    say(page, "Salt the soup")
    expect(replies(page)).to_contain_text("Salt the soup")
    with page.expect_response(re.compile("/training$")):
        page.get_by_role("button", name="Yes, they may").click()
    page.get_by_role("button", name="Bad answer").click()
    page.get_by_label("It is not true").check()
    page.get_by_role("button", name="Say so").click()
    page.get_by_role("button", name="Write a better answer").click()
    page.get_by_label("What would you rather have read?").fill("A pinch at a time.")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("button", name="Your better answer")).to_be_visible()


class TestFeedback:
    def test_of_those_who_allow_it_becomes_data_and_a_snapshot(self, visit, rhea, ada, kitchen):
        guest_likes_an_answer(visit(), kitchen)
        thumb(guest("nora", kitchen, allows=False), kitchen, "Mine?", "Yes.", up=True)
        labeler_writes_a_better_answer(visit(), ada, kitchen)

        desk = visit()
        page = desk.page
        desk.enter(rhea, f"/admin/annotation/campaign/{kitchen.pk}/change/")
        page.locator("#main").get_by_role("link", name="Chat feedback").click()
        expect(page.get_by_text("To be made: 3")).to_be_visible()
        expect(page.get_by_role("row", name=re.compile("^Training is not allowed"))).to_be_visible()
        assert desk.barriers(".quality") == []
        assert not FeedbackUse.objects.exists()
        page.get_by_role("button", name="Make it data").click()
        expect(page.get_by_text("Made: 3.")).to_be_visible()
        expect(page.get_by_text("To be made: 0")).to_be_visible()

        uses = FeedbackUse.objects.order_by("given_at")
        assert [(use.source, use.is_good) for use in uses] == [
            ("thumb", True),
            ("thumb", False),
            ("better_answer", None),
        ]
        assert Demonstration.objects.get(labeler=ada).status == Demonstration.Status.SUBMITTED
        assert not Ranking.objects.exists()
        shown = Prompt.objects.filter(source="chat").values_list("messages__0__content", "status")
        assert dict(shown) == {"Boil the egg": "CHAT", "Salt the soup": "READY"}

        desk.go("/admin/trainer/snapshot/freeze/")
        page.get_by_label("Kind", exact=False).first.select_option("feedback")
        page.get_by_role("button", name="Freeze", exact=True).click()
        expect(page.get_by_text("Frozen: nothing in it will ever change.")).to_be_visible()
        snapshot = Snapshot.objects.get()
        assert (snapshot.kind, snapshot.rows) == ("feedback", 2)
        assert snapshot.manifest["labels"] == {"good": 1, "bad": 1}
