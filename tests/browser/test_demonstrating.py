"""A labeler plays both sides of a conversation."""

import re

from playwright.sync_api import expect

from annotation.models import Demonstration


def assistant_turn(page, place):
    return page.get_by_label(f"Turn {place}: You, as the assistant")


def user_turn(page, place):
    return page.get_by_label(f"Turn {place}: You, as the user")


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
        visitor.enter(ada, f"/app/demonstrate/{kitchen.pk}")
        page = visitor.page

        assistant_turn(page, 1).fill("Half an answ")
        expect(page.get_by_text("Draft saved")).to_be_visible()
        assistant_turn(page, 1).press_sequentially("er")
        page.reload()

        # The last two letters never reached the server: this device had them.
        assert Demonstration.objects.get().turns == [{"role": "assistant", "content": "Half an answ"}]
        expect(assistant_turn(page, 1)).to_have_value("Half an answer")
        expect(page.get_by_text("Draft saved")).to_be_visible()
        assert Demonstration.objects.get().turns == [{"role": "assistant", "content": "Half an answer"}]

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

    def test_the_preview_shows_what_markdown_means(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/demonstrate/{kitchen.pk}")
        page = visitor.page

        assistant_turn(page, 1).fill("Add **salt**.")
        visitor.press("Control+Shift+p")

        expect(page.locator("strong", has_text="salt")).to_be_visible()
