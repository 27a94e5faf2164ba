"""A labeler plays both sides of a conversation."""

import re

import pytest
from playwright.sync_api import expect

from annotation.models import Campaign, Demonstration


def assistant_turn(page, place):
    return page.get_by_label(f"Turn {place}: You, as the assistant")


def user_turn(page, place):
    return page.get_by_label(f"Turn {place}: You, as the user")


def texts(page):
    return page.locator("textarea").evaluate_all("fields => fields.map((field) => field.value)")


class TestDemonstrating:
    def test_a_conversation_of_three_turns_is_stored_and_the_next_prompt_comes(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/demonstrate/{kitchen.pk}")
        page = visitor.page

        assistant_turn(page, 1).fill("Brown the onions first.")
        page.get_by_role("button", name="Add a turn of the user").click()
        user_turn(page, 2).fill("And then?")
        visitor.press("Alt+n")
        assistant_turn(page, 3).fill("Then a splash of **vinegar**.")
        with page.expect_response(re.compile("/submission$")) as answered:
            visitor.press("Control+Enter")

        assert answered.value.status == 201
        stored = Demonstration.objects.exclude(status="DRAFT").get()
        assert stored.labeler == ada
        assert stored.turns == [
            {"role": "assistant", "content": "Brown the onions first."},
            {"role": "user", "content": "And then?"},
            {"role": "assistant", "content": "Then a splash of **vinegar**."},
        ]
        expect(assistant_turn(page, 1)).to_have_value("")
        expect(page.get_by_text("three quick dinners")).to_be_visible()
        assert page.evaluate("document.activeElement.tagName") == "H1"

    def test_a_draft_is_saved_at_the_server_and_survives_a_reload(self, visit, ada, kitchen):
        visitor = visit()
        # The page says its last words while it goes: their answer may come too late for it.
        visitor.expect_console(r"409 \(Conflict\)")
        visitor.enter(ada, f"/app/demonstrate/{kitchen.pk}")
        page = visitor.page

        assistant_turn(page, 1).fill("Half an answ")
        expect(page.get_by_text("Draft saved")).to_be_visible()
        assert Demonstration.objects.get().turns == [{"role": "assistant", "content": "Half an answ"}]
        assistant_turn(page, 1).press_sequentially("er")
        page.reload()

        expect(assistant_turn(page, 1)).to_have_value("Half an answer")
        expect(page.get_by_role("alert")).to_have_count(0)
        with page.expect_response(re.compile("/draft$")):
            assistant_turn(page, 1).press("End")
            assistant_turn(page, 1).press_sequentially("!")
        expect(page.get_by_text("Draft saved")).to_be_visible()
        assert Demonstration.objects.get().turns == [{"role": "assistant", "content": "Half an answer!"}]

    def test_a_skip_keeps_what_was_written_and_can_be_undone_or_taken_up_later(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/demonstrate/{kitchen.pk}")
        page = visitor.page
        assistant_turn(page, 1).fill("Half an answer")

        for _time in range(2):
            page.get_by_role("button", name="Skip", exact=True).click()
            page.get_by_label("I do not know this subject").check()
            with page.expect_response(re.compile("/skip$")):
                page.get_by_role("dialog").get_by_role("button", name="Skip", exact=True).click()
            expect(assistant_turn(page, 1)).to_have_value("")
            if _time == 0:
                page.get_by_role("status").get_by_role("button", name="Undo").click()
                expect(assistant_turn(page, 1)).to_have_value("Half an answer")
        skipped = Demonstration.objects.skipped().get()
        assert (skipped.skip_reason, skipped.turns[0]["content"]) == ("subject", "Half an answer")

        visitor.go("/app/history")
        page.get_by_text("1 skipped demonstration").click()
        assert visitor.barriers() == []
        page.get_by_role("button", name="Write it after all").click()
        expect(assistant_turn(page, 1)).to_have_value("Half an answer")
        assert not Demonstration.objects.skipped().exists()

    def test_two_tabs_are_asked_which_text_they_mean(self, visit, ada, kitchen):
        here, there = visit(), visit()
        here.expect_console(r"409 \(Conflict\)")
        for visitor in (here, there):
            visitor.enter(ada, f"/app/demonstrate/{kitchen.pk}")
        assistant_turn(there.page, 1).fill("Written there.")
        expect(there.page.get_by_text("Draft saved")).to_be_visible()

        assistant_turn(here.page, 1).fill("Written here.")
        expect(here.page.get_by_role("alert")).to_contain_text("changed in another tab")
        expect(assistant_turn(here.page, 1)).to_have_value("Written here.")
        here.page.get_by_role("button", name="The other one").click()

        expect(assistant_turn(here.page, 1)).to_have_value("Written there.")
        expect(here.page.get_by_role("alert")).to_have_count(0)

    def test_an_empty_turn_is_not_submitted_but_pointed_at(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/demonstrate/{kitchen.pk}")
        page = visitor.page
        assistant_turn(page, 1).fill("Salt.")
        page.get_by_role("button", name="Add a turn of the user").click()

        page.get_by_role("button", name="Submit").click()
        expect(user_turn(page, 2)).to_be_focused()
        expect(page.get_by_text("Write something here, or remove this turn.")).to_be_visible()
        page.get_by_role("button", name="Remove this turn", exact=True).click()
        with page.expect_response(re.compile("/submission$")):
            page.get_by_role("button", name="Submit").click()

        assert Demonstration.objects.exclude(status="DRAFT").get().turns == [
            {"role": "assistant", "content": "Salt."}
        ]

    def test_the_preview_stands_beside_the_text_where_there_is_room_and_else_in_its_place(
        self, visit, ada, kitchen
    ):
        wide, narrow = visit(), visit(viewport={"width": 390, "height": 844})
        bold = {}
        for visitor in (wide, narrow):
            visitor.enter(ada, f"/app/demonstrate/{kitchen.pk}")
            bold[visitor] = visitor.page.locator("strong", has_text="salt")
            assistant_turn(visitor.page, 1).fill("Add **salt**.")

        expect(bold[wide]).to_be_visible()
        wide.press("Control+Shift+p")
        expect(bold[wide]).to_have_count(0)
        expect(bold[narrow]).to_have_count(0)
        narrow.page.get_by_role("button", name="Preview").click()
        expect(bold[narrow]).to_be_visible()
        expect(assistant_turn(narrow.page, 1)).to_be_hidden()

    def test_by_keyboard_alone_turns_change_place_and_the_checklist_holds_it_back(self, visit, ada, kitchen):
        Campaign.objects.update(checklist=["It says how long.", "It is kind."])
        visitor = visit()
        visitor.enter(ada, f"/app/demonstrate/{kitchen.pk}")
        page = visitor.page
        expect(page.get_by_role("heading", level=1)).to_be_focused()

        visitor.press("Alt+n")
        page.keyboard.type("Why?")
        visitor.press("Alt+n")
        page.keyboard.type("It needs salt.")
        visitor.press("Alt+ArrowUp", "Alt+ArrowUp", "Control+Enter")
        expect(page.get_by_text("User and assistant must take turns")).to_be_visible()
        assert texts(page) == ["It needs salt.", "", "Why?"]
        # The first one out of turn has the focus: it goes back to where the assistant answers.
        visitor.press("Alt+ArrowDown")
        page.keyboard.type("For taste.")
        visitor.press("Control+Enter")

        expect(page.get_by_label("It says how long.")).to_be_focused()
        expect(page.get_by_role("alert")).to_contain_text("2 points")
        assert not Demonstration.objects.exclude(status="DRAFT").exists()
        visitor.press("Space", "Tab", "Space")
        with page.expect_response(re.compile("/submission$")):
            visitor.press("Control+Enter")
        stored = Demonstration.objects.exclude(status="DRAFT").get()
        assert [turn["content"] for turn in stored.turns] == ["It needs salt.", "Why?", "For taste."]

    def test_a_suggestion_is_edited_and_marked_in_the_row(self, visit, ada, kitchen):
        Campaign.objects.update(offers_suggestions=True)
        visitor = visit()
        visitor.enter(ada, f"/app/demonstrate/{kitchen.pk}")
        page = visitor.page

        page.get_by_role("button", name="Show a suggestion").click()
        expect(assistant_turn(page, 1)).not_to_have_value("")
        assistant_turn(page, 1).press("Control+End")
        page.keyboard.type(" Enjoy!")
        with page.expect_response(re.compile("/submission$")):
            visitor.press("Control+Enter")

        stored = Demonstration.objects.exclude(status="DRAFT").get()
        assert stored.suggestion.prompt == stored.prompt
        assert stored.turns[0]["content"] == stored.suggestion.text.strip() + " Enjoy!"
        expect(page.get_by_role("button", name="Show a suggestion")).to_be_visible()

    @pytest.mark.parametrize(
        ("width", "scheme", "locale"),
        [(1366, "light", "en-US"), (390, "dark", "zh-CN"), (320, "light", "en-US")],
    )
    def test_everything_at_once_shuts_nobody_out_and_cuts_no_words(
        self, visit, ada, kitchen, width, scheme, locale
    ):
        Campaign.objects.update(checklist=["It says how long.", "没有套话。"], offers_suggestions=True)
        visitor = visit(viewport={"width": width, "height": 844}, color_scheme=scheme, locale=locale)
        visitor.enter(ada, f"/app/demonstrate/{kitchen.pk}")
        page = visitor.page
        page.locator("textarea").fill("先把洋葱切碎，用小火慢慢炒至金黄，然后再加入高汤和一点盐。")
        visitor.press("Alt+n")
        page.keyboard.type("And `then`?")
        visitor.press("Alt+ArrowUp", "Control+Enter")
        page.locator("[aria-describedby=suggestion-means]").click()
        expect(page.locator("details[open]")).to_be_visible()

        assert visitor.barriers() == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        cut = "b => b.scrollWidth > b.clientWidth + 1 && getComputedStyle(b).display !== 'none'"
        assert page.evaluate(f"[...document.querySelectorAll('main button')].filter({cut}).length") == 0
        if locale == "zh-CN":
            assert "Turn" not in page.inner_text("main") and "token" not in page.inner_text("main")
