"""Talking to a model that repeats what it is told."""

import re

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from annotation.models import BetterAnswer, ChatConsent, ChatMessage, Person, SideBySide, Thumb
from tests.annotation.parrot import Parrot


@pytest.fixture(autouse=True)
def parrot(settings, transactional_db):
    settings.CHAT_ANSWERER = "tests.annotation.parrot.Parrot"
    Parrot.may_go_on.clear()
    cache.clear()


@pytest.fixture
def kitchen(kitchen):
    kitchen.offers_chat, kitchen.chat_allows_guests, kitchen.chat_compares_percent = True, True, 0
    kitchen.save()
    return kitchen


def say(page, text):
    page.get_by_role("textbox", name="Message").fill(text)
    page.keyboard.press("Enter")


def replies(page):
    return page.get_by_role("article", name="Model")


class TestAGuest:
    def test_chats_without_an_account_by_keyboard_and_decides_about_training(self, visit, kitchen):
        visitor = visit()
        visitor.expect_console(r"403 \(Forbidden\)")
        visitor.go("/app/chat")
        page = visitor.page
        expect(page.get_by_role("button", name="Start chatting")).to_be_focused()
        assert visitor.barriers() == []
        page.keyboard.press("Enter")

        say(page, "Hello **soup**")
        expect(replies(page).locator("strong")).to_have_text("soup")
        expect(page.get_by_role("link", name="Hello **soup**")).to_be_visible()
        assert not ChatConsent.objects.exists()
        with page.expect_response(re.compile("/training$")):
            page.get_by_role("button", name="Yes, they may").click()
        expect(page.get_by_role("switch", name="My chats may teach the next model")).to_be_checked()
        assert ChatConsent.objects.get().allows_training
        with page.expect_response(re.compile("/training$")):
            page.get_by_role("switch").press("Space")
        expect(page.get_by_role("switch")).not_to_be_checked()

        guest = Person.objects.get(role="guest")
        assert [message.text for message in ChatMessage.objects.order_by("pk")] == ["Hello **soup**"] * 2
        assert not ChatConsent.objects.get(person=guest).allows_training
        visitor.go("/app/rank/1")
        expect(page).to_have_url(re.compile("/app/chat"))


class TestChatting:
    def test_an_answer_is_stopped_made_again_and_asked_for_in_other_words(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/chat/{kitchen.pk}")
        page = visitor.page

        say(page, "slowly and surely")
        expect(replies(page)).to_have_text("slowly")
        page.keyboard.press("Escape")
        expect(page.get_by_text("Stopped here.")).to_be_visible()
        assert ChatMessage.objects.get(role="assistant").status == "STOPPED"

        Parrot.may_go_on.set()
        page.get_by_role("button", name="Answer again").click()
        expect(replies(page)).to_contain_text("slowly and surely")
        expect(page.get_by_text("2 / 2")).to_be_visible()
        page.get_by_role("button", name="Version before").click()
        expect(page.get_by_text("Stopped here.")).to_be_visible()

        page.get_by_role("button", name="Edit").click()
        page.get_by_label("The message in other words").fill("quickly now")
        page.get_by_role("button", name="Send").first.click()
        expect(replies(page)).to_contain_text("quickly now")
        say(page, "and more")
        expect(replies(page)).to_have_count(2)
        origins = ChatMessage.objects.order_by("pk").values_list("role", "origin")
        assert list(origins) == [
            ("user", "first"),
            ("assistant", "first"),
            ("assistant", "again"),
            ("user", "edited"),
            ("assistant", "first"),
            ("user", "first"),
            ("assistant", "first"),
        ]
        page.reload()
        expect(replies(page)).to_have_count(2)
        assert visitor.barriers() == []

    def test_an_answer_is_judged_and_improved(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/chat/{kitchen.pk}")
        page = visitor.page
        say(page, "Salt it")

        page.get_by_role("button", name="Bad answer").click()
        page.get_by_label("It is not true").check()
        page.get_by_label("In your own words").fill("Lemon!")
        assert visitor.barriers() == []
        page.get_by_role("button", name="Say so").click()
        expect(page.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")
        page.get_by_role("button", name="Write a better answer").click()
        page.get_by_label("What would you rather have read?").fill("Add lemon.")
        page.get_by_role("button", name="Keep").click()
        expect(page.get_by_role("button", name="Your better answer")).to_be_visible()

        thumb = Thumb.objects.get()
        assert (thumb.is_up, thumb.reasons, thumb.note) == (False, ["untrue"], "Lemon!")
        assert BetterAnswer.objects.get().text == "Add lemon."

    def test_two_answers_are_compared_by_key_and_the_chosen_one_goes_on(self, visit, ada, kitchen):
        kitchen.chat_compares_percent = 100
        kitchen.save()
        visitor = visit()
        visitor.enter(ada, f"/app/chat/{kitchen.pk}")
        page = visitor.page
        say(page, "Which one")
        expect(page.get_by_role("heading", name="Which answer is better?")).to_be_visible()
        expect(page.get_by_role("button", name="Right is better")).to_be_enabled()
        assert visitor.barriers() == []

        page.evaluate("document.activeElement.blur()")
        visitor.press("2")

        expect(replies(page)).to_have_count(1)
        pair = SideBySide.objects.get()
        assert pair.verdict == "right"
        say(page, "Go on")
        expect(page.get_by_role("heading", name="Which answer is better?")).to_be_visible()
        assert ChatMessage.objects.get(text="Go on", role="user").parent == pair.right

    def test_says_when_nobody_is_there_and_keeps_what_was_asked(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/chat/{kitchen.pk}")
        page = visitor.page

        say(page, "away")

        expect(page.get_by_role("alert")).to_contain_text("Nobody is there.")
        expect(page.get_by_text("No answer came.")).to_be_visible()
        expect(page.get_by_role("button", name="Answer again")).to_be_enabled()
