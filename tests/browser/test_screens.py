"""What holds on every screen: nobody is shut out, and it speaks both languages."""

import re

import pytest
from playwright.sync_api import expect


class TestSession:
    def test_a_wrong_password_is_refused_in_words(self, visit, ada):
        visitor = visit()
        visitor.expect_console(r"40[03] \((Forbidden|Bad Request)\)")
        visitor.go("/app/")
        page = visitor.page

        page.get_by_label("User name").fill("ada")
        page.get_by_label("Password", exact=True).fill("wrong")
        visitor.press("Enter")

        expect(page.get_by_role("alert")).not_to_be_empty()
        expect(visitor.menu).to_have_count(0)

    def test_home_counts_what_waits_and_leads_to_it(self, visit, ada, kitchen):
        visitor = visit()
        visitor.sign_in("ada")
        page = visitor.page

        expect(page.get_by_role("heading", name="Hello, Ada")).to_be_visible()
        expect(page.get_by_text("3 rankings waiting")).to_be_visible()
        expect(page.get_by_text("3 demonstrations waiting")).to_be_visible()
        page.get_by_role("link", name="Continue").click()
        expect(page).to_have_title("Rank · Kitchen · Rankwright")
        visitor.press("l")
        panel = page.get_by_role("complementary", name="Guideline")
        expect(panel).to_contain_text("Be kind. Prefer the answer that helps.")

    def test_signing_out_leaves_nobody_signed_in(self, visit, ada, kitchen):
        visitor = visit()
        visitor.expect_console(r"403 \(Forbidden\)")
        visitor.enter(ada, "/app/")

        visitor.sign_out()
        expect(visitor.page.get_by_role("heading", name="Sign in")).to_be_visible()
        visitor.go("/app/")

        expect(visitor.page.get_by_role("heading", name="Sign in")).to_be_visible()

    def test_only_researchers_are_shown_the_way_to_the_admin(self, visit, ada, rhea, kitchen):
        labeler, researcher = visit(), visit()
        labeler.enter(ada, "/app/")
        researcher.enter(rhea, "/app/")

        expect(researcher.page.get_by_role("link", name="Admin")).to_have_attribute("href", "/admin/")
        expect(labeler.page.get_by_role("heading", name="Kitchen")).to_be_visible()
        expect(labeler.page.get_by_role("link", name="Admin")).to_have_count(0)


class TestLanguages:
    def test_change_while_one_works_and_reach_the_admin(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        page = visitor.page
        expect(page.locator("article[data-candidate]:visible")).to_have_count(4)
        visitor.menu.click()
        with page.expect_response(re.compile("/me/preferences$")):
            page.get_by_label("Language").select_option("zh-Hans")
        visitor.press("Escape")
        # Keys typed into the menu rank nothing.
        page.evaluate("document.activeElement.blur()")
        visitor.press("1", "2", "3")

        expect(page.get_by_role("button", name="提交")).to_be_enabled()
        assert page.locator("html").get_attribute("lang") == "zh-Hans"
        assert page.title() == "排序 · Kitchen · Rankwright"
        ada.refresh_from_db()
        assert ada.preferences["language"] == "zh-Hans"
        visitor.go("/admin/login/")
        expect(page.locator("html")).to_have_attribute("lang", re.compile("zh-hans", re.IGNORECASE))

    def test_only_the_chosen_one_is_loaded(self, visit, transactional_db):
        visitor = visit(locale="zh-CN")
        visitor.expect_console(r"403 \(Forbidden\)")
        loaded = []
        visitor.page.on("request", lambda request: loaded.append(request.url.rpartition("/")[2]))
        visitor.go("/app/")

        expect(visitor.page.get_by_role("heading", name="登录")).to_be_visible()
        assert [name for name in loaded if re.match("(en|zh-Hans)-", name)] == [
            next(name for name in loaded if name.startswith("zh-Hans-"))
        ]


class TestRanked:
    """What only shows once something is ranked, and is on no list of screens."""

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_responses_shut_nobody_out(self, visit, ada, kitchen, scheme):
        visitor = visit(color_scheme=scheme)
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        expect(visitor.page.locator("article:visible")).to_have_count(4)
        expect(visitor.page.locator(".katex:visible")).to_have_count(2)
        assert visitor.barriers() == []

        visitor.page.get_by_role("link", name="salt").click()
        expect(visitor.page.get_by_role("dialog", name="Leave for example.org?")).to_be_visible()
        assert visitor.barriers() == []
        visitor.press("Escape")
        expect(visitor.page.get_by_role("dialog")).to_have_count(0)
        visitor.press("2", "Shift+Digit1", "Alt+Digit3")

        assert visitor.barriers() == []

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_problems_of_a_demonstration_shut_nobody_out(self, visit, ada, kitchen, scheme):
        visitor = visit(color_scheme=scheme)
        visitor.enter(ada, f"/app/demonstrate/{kitchen.pk}")
        visitor.page.get_by_label("Turn 1").fill("Add **salt**.")
        visitor.press("Alt+n")
        visitor.page.get_by_role("button", name="Submit").click()

        assert visitor.barriers() == []
