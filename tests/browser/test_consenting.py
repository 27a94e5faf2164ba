"""Nothing is handed out before somebody agrees, and what is recorded of them is theirs to see."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation.actions.consents import publish_consent_text
from annotation.models import Consent, ErasureRequest, Ranking
from tests.browser.test_ranking import shown, submit_with

TEXT = "# What we keep\n\nYour rankings, **without** your name.\n\n<img src=x onerror=alert(1)>\n\n- no ads\n"


@pytest.fixture
def terms(kitchen):
    return publish_consent_text(campaign=kitchen, text=TEXT, now=timezone.now())


def agree(visitor):
    visitor.page.get_by_label("I have read this and agree").check()
    visitor.page.get_by_role("button", name="Agree and start").click()


class TestConsenting:
    def test_leads_to_the_work_and_is_recorded_with_it(self, visit, ada, kitchen, terms):
        visitor = visit()
        visitor.sign_in("ada", path=f"/app/rank/{kitchen.pk}")
        page = visitor.page
        box = page.get_by_label("I have read this and agree")
        expect(page.get_by_role("heading", name="Before you work in Kitchen")).to_be_focused()
        expect(box).not_to_be_checked()
        expect(page.get_by_role("button", name="Agree and start")).to_be_disabled()
        assert visitor.barriers() == []

        while page.evaluate("document.activeElement.type") != "checkbox":
            visitor.press("Tab")
        visitor.press("Space", "Tab", "Enter")
        shown(visitor)
        visitor.press("1", "2", "3")
        ranking = submit_with(visitor, lambda: visitor.press("Enter"))

        assert ranking.consent == terms
        assert Consent.objects.get().labeler == ada

    def test_is_asked_for_again_when_the_text_changes(self, visit, ada, kitchen, terms):
        visitor = visit()
        # What is refused until somebody agrees, Chromium says in the console.
        visitor.expect_console(r"409 \(Conflict\)")
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        agree(visitor)
        shown(visitor)
        newer = publish_consent_text(campaign=kitchen, text="We publish them.", now=timezone.now())

        # What is in hand is finished first, under the text that was agreed to.
        while visitor.page.locator("article[data-candidate]:visible").count():
            visitor.press("1", "2", "3")
            submit_with(visitor, lambda: visitor.press("Enter"))
            visitor.page.wait_for_timeout(300)

        expect(visitor.page.get_by_text("changed since you agreed to version 1")).to_be_visible()
        assert {ranking.consent for ranking in Ranking.objects.all()} == {terms}
        agree(visitor)
        expect(visitor.page.get_by_text("I have read this")).to_have_count(0)
        assert Consent.objects.filter(text=newer).exists()


class TestMyData:
    def test_tells_what_is_recorded_and_lets_me_withdraw(self, visit, ada, kitchen, terms):
        visitor = visit()
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        agree(visitor)
        shown(visitor)
        visitor.press("1", "2", "3")
        submit_with(visitor, lambda: visitor.press("Enter"))
        page = visitor.page
        visitor.menu.click()
        page.get_by_role("link", name="My data").click()
        expect(page.get_by_role("row", name="Kitchen")).to_contain_text("1")
        assert visitor.barriers() == []

        page.get_by_role("button", name="Withdraw your consent: Kitchen").click()
        page.get_by_label("Remove it: erase my account").check()
        page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()

        expect(page.get_by_text(re.compile("you asked for your account to be erased"))).to_be_visible()
        assert Consent.objects.get().withdrawn_at
        assert ErasureRequest.objects.get().mode == "removed"
        visitor.go(f"/app/rank/{kitchen.pk}")
        expect(page.get_by_label("I have read this and agree")).to_be_visible()

    def test_can_be_downloaded(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, "/app/my-data")

        with visitor.page.expect_download() as downloading:
            visitor.page.get_by_role("link", name="Download my contributions").click()

        assert downloading.value.suggested_filename == "my-contributions.json"
