"""Whoever works here eight hours a day has it as they like it: at once, on every device, by keyboard."""

import re

import pytest
from playwright.sync_api import expect

from annotation.models import Person, Skip


def theme_and_page(page):
    return page.evaluate(
        "[document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]"
    )


def saving(page):
    return page.expect_response(re.compile("/me/preferences$"))


class TestSettings:
    def test_made_by_keyboard_hold_on_another_device_before_any_script_runs(self, visit, ada, kitchen):
        visitor, elsewhere = visit(), visit(java_script_enabled=False)
        visitor.enter(ada, "/app/")
        page = visitor.page
        visitor.menu.focus()
        visitor.press("Enter", "Tab", "Enter")
        expect(page.get_by_role("heading", name="Settings", level=1)).to_be_focused()

        page.get_by_label("As the system").focus()
        with saving(page):
            visitor.press("ArrowRight")
        with saving(page):
            visitor.press("ArrowRight")
        page.get_by_label("Daily goal").fill("80")
        with saving(page):
            visitor.press("Enter")
        with saving(page):
            page.get_by_label("20 px").check()

        ada.refresh_from_db()
        assert ada.preferences == {"theme": "dark", "daily_goal": 80, "text_size": 20, "tour_seen": True}
        expect(page.locator("header")).to_contain_text("0 of 80 today")
        assert page.locator(".prose").evaluate("e => getComputedStyle(e).fontSize") == "20px"
        elsewhere.enter(ada, "/app/")
        assert theme_and_page(page) == ["dark", "rgb(22, 24, 29)"]
        # No script runs there, so nothing but the page itself says which theme it is.
        assert elsewhere.page.locator("html[data-theme=dark]").count() == 1

    def test_of_keys_move_commands_and_can_be_taken_back(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, "/app/settings")
        page = visitor.page
        page.get_by_role("button", name="Change the keys of: Skip, with a reason").click()
        visitor.press("a")
        expect(page.get_by_role("alert")).to_contain_text("Rank this response next")
        with saving(page):
            visitor.press("Alt+q")

        visitor.go(f"/app/rank/{kitchen.pk}")
        expect(page.locator("article[data-candidate]:visible")).to_have_count(4)
        visitor.press("?")
        expect(page.get_by_role("dialog")).to_contain_text("AltQSkip, with a reason")
        visitor.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        visitor.press("s")
        expect(page.get_by_role("dialog")).to_have_count(0)
        visitor.press("Alt+q")
        page.get_by_role("dialog").get_by_role("radio").first.check()
        with page.expect_response(re.compile("/skip$")):
            page.get_by_role("dialog").get_by_role("button", name="Skip").click()
        ada.refresh_from_db()
        assert ada.preferences == {"keys": {"rank.skip": ["Alt+Q"]}, "tour_seen": True}
        assert Skip.objects.get().labeler == ada

        visitor.go("/app/settings")
        with saving(page):
            page.get_by_role("button", name="Reset all keys").click()
        with saving(page):
            visitor.press("Control+z")
        with saving(page):
            page.get_by_role("button", name="Reset the keys of: Skip, with a reason").click()
        ada.refresh_from_db()
        assert ada.preferences["keys"] == {}

    def test_made_without_a_network_are_kept_and_sent_later(self, visit, ada):
        visitor = visit()
        visitor.expect_console("ERR_INTERNET_DISCONNECTED")
        visitor.enter(ada, "/app/settings")
        page = visitor.page
        expect(page.get_by_label("Compact")).to_be_visible()

        page.context.set_offline(True)
        page.get_by_label("Compact").check()
        expect(page.get_by_text("Kept on this device")).to_be_visible()
        with saving(page):
            page.context.set_offline(False)

        expect(page.get_by_text("All choices are saved.")).to_be_visible()
        ada.refresh_from_db()
        assert ada.preferences == {"density": "compact", "tour_seen": True}

    def test_of_somebody_else_are_not_shown_to_the_next_person(self, visit, ada, kitchen):
        ben = Person.objects.create_user("ben", password="correct horse")
        Person.objects.filter(pk=ada.pk).update(preferences={"single_keys": False, "daily_goal": 7})
        visitor = visit()
        visitor.sign_in("ada")
        expect(visitor.page.locator("header")).to_contain_text("of 7 today")

        visitor.sign_out()
        visitor.sign_in("ben")

        expect(visitor.page.locator("header")).to_contain_text("None today")
        ben.refresh_from_db()
        assert ben.preferences == {"tour_seen": True}


class TestTheShell:
    def test_says_so_when_a_part_of_it_was_replaced_by_a_new_version(self, visit, ada, kitchen):
        visitor = visit()
        visitor.expect_console("404|Failed to load|dynamically imported")
        visitor.page.route("**/settings-screen-*.js", lambda route: route.fulfill(status=404))
        visitor.enter(ada, "/app/")
        page = visitor.page
        visitor.menu.click()
        page.get_by_role("link", name="Settings").click()

        expect(page.get_by_role("heading", name="A part of this page could not be loaded")).to_be_visible()
        page.unroute("**/settings-screen-*.js")
        page.get_by_role("button", name="Reload the page").click()
        expect(page.get_by_role("heading", name="Settings", level=1)).to_be_visible()

    def test_brings_the_focus_to_the_heading_of_each_screen(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, "/app/")
        page = visitor.page

        page.get_by_role("link", name="Rank – Kitchen").click()
        expect(page.locator("h1:visible")).to_be_focused()
        page.get_by_role("link", name="Rankwright").click()

        expect(page.get_by_role("heading", name="Hello, Ada")).to_be_focused()

    @pytest.mark.parametrize("width", [320, 3840])
    def test_hides_no_focus_under_its_bars(self, visit, ada, kitchen, width):
        visitor = visit(viewport={"width": width, "height": 500})
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        page = visitor.page
        expect(page.locator("article[data-candidate]:visible").first).to_be_visible()
        hidden = set()

        for _ in range(40):
            visitor.press("Tab")
            hidden.add(page.evaluate(HIDDEN_FOCUS))
        for _ in range(40):
            visitor.press("Shift+Tab")
            hidden.add(page.evaluate(HIDDEN_FOCUS))

        assert hidden <= {None}


# WCAG 2.4.11: what has the focus is not wholly under something else.
HIDDEN_FOCUS = """async () => {
    // After the frame in which the page may have moved.
    for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame)
    const focused = document.activeElement
    if (focused === document.body) return null
    const {left, right, top, bottom} = focused.getBoundingClientRect()
    const parts = [0.1, 0.5, 0.9]
    const points = parts.flatMap(x => parts.map(y => [left + x * (right - left), top + y * (bottom - top)]))
    const seen = points.some(([x, y]) => {
        const there = document.elementFromPoint(x, y)
        return there && (focused.contains(there) || there.contains(focused))
    })
    return seen ? null : focused.outerHTML.slice(0, 200)
}"""
