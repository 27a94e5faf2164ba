"""What a campaign asks for besides the order, given in the browser, reaches the row."""

import re

import pytest
from playwright.sync_api import expect

from annotation.actions.candidates import add_candidate_set
from annotation.actions.prompts import add_prompt
from annotation.models import Campaign
from tests.browser.test_ranking import submit_with
from tests.browser.texts import ANSWERS, PROMPTS

SALT = "Salt 🧂 it twice.\r\nThen taste 三次 again."
NEAR = ["先把洋葱炒香，再加水慢慢煮。", "先把大蒜炒香，再加水慢慢煮。"]


@pytest.fixture
def asking(transactional_db):
    """Makes a campaign that asks for more than an order, with one prompt and these answers."""

    def make(texts, **asks):
        campaign = Campaign.objects.create(name="Asking", **asks)
        prompt, _ = add_prompt(
            campaign=campaign, messages=[{"role": "user", "content": PROMPTS[0]}], language="en"
        )
        add_candidate_set(prompt=prompt, texts=texts)
        return campaign

    return make


def opened(visitor, labeler, campaign, count) -> list[int]:
    """The ids of what is shown, in order."""
    visitor.enter(labeler, f"/app/rank/{campaign.pk}")
    cards = visitor.page.get_by_role("article")
    expect(cards).to_have_count(count)
    return [int(card.get_attribute("data-candidate")) for card in cards.all()]


class TestTwoResponses:
    def test_are_weighed_with_one_key_and_enter(self, visit, ada, asking):
        visitor = visit()
        a, b = opened(visitor, ada, asking(ANSWERS[:2], asks_strength=True), 2)

        visitor.press("6")
        expect(visitor.page.get_by_role("button", name="B better", exact=True)).to_have_attribute(
            "aria-pressed", "true"
        )
        ranking = submit_with(visitor, lambda: visitor.press("Enter"))

        assert (ranking.tiers, ranking.strength) == ([[b], [a]], 2)

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_are_weighed_by_touch_in_chinese_with_no_barrier(self, visit, ada, asking, scheme):
        visitor = visit(
            viewport={"width": 390, "height": 844}, has_touch=True, locale="zh-CN", color_scheme=scheme
        )
        a, b = opened(visitor, ada, asking(ANSWERS[:2], asks_strength=True), 2)
        page = visitor.page

        page.get_by_role("button", name="A 略好").tap()
        assert visitor.barriers() == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        ranking = submit_with(visitor, lambda: page.get_by_role("button", name="提交").tap())

        assert (ranking.tiers, ranking.strength) == ([[a], [b]], 1)

    def test_are_ordered_by_one_key_or_tied_by_one(self, visit, ada, asking):
        visitor = visit()
        a, b = opened(visitor, ada, asking(ANSWERS[:2]), 2)

        visitor.press("1", "=")
        expect(visitor.page.get_by_role("button", name="Equally good")).to_have_attribute(
            "aria-pressed", "true"
        )
        visitor.press("ArrowRight")
        ranking = submit_with(visitor, lambda: visitor.press("Enter"))

        assert (ranking.tiers, ranking.strength) == ([[b], [a]], None)


ALL = {
    "rating_axes": ["helpful"],
    "asks_flags": True,
    "asks_spans": True,
    "rationale": "required",
    "asks_edit": True,
}


class TestWhatIsSaidBesides:
    def test_is_said_by_keys_alone_and_survives_a_reload(self, visit, ada, asking):
        visitor = visit()
        ids = opened(visitor, ada, asking([SALT, ANSWERS[1]], **ALL), 2)
        page = visitor.page
        salt = page.get_by_role("article").filter(has_text="Salt 🧂")
        name = salt.get_by_role("heading").inner_text().split()[-1]
        place = "AB".index(name)
        salted, other = ids[place], ids[1 - place]

        visitor.press(name.lower(), "Enter")  # Goes to the first rating that is missing.
        expect(page.get_by_role("radio").first).to_be_focused()
        for pk, digit in ((salted, "7"), (other, "2")):
            page.locator(f"article[data-candidate='{pk}']").get_by_role("radio").first.focus()
            visitor.press(digit)
        page.reload()
        expect(page.get_by_role("article")).to_have_count(2)
        page.locator(f"article[data-candidate='{other}']").focus()
        visitor.press("w", "Space", "Escape")
        mark = page.get_by_role("button", name=f"Mark a passage: Response {name}")
        mark.focus()
        visitor.press("Enter")
        expect(page.get_by_role("textbox", name=f"Response {name}, as it was written")).to_be_focused()
        visitor.press("x", "Delete", "Control+Home", "ArrowDown", "Control+ArrowRight")
        visitor.press("Control+Shift+ArrowRight", "Control+Shift+ArrowRight", "Enter", "Escape")
        expect(page.get_by_role("list", name="Marked passages")).to_contain_text("taste")
        page.locator(f"article[data-candidate='{salted}']").focus()
        visitor.press("n")
        page.keyboard.type("It says 1 2 3.")
        visitor.press("Tab", "Enter")
        page.get_by_role("textbox", name="as it should be").fill("Salt it.")
        ranking = submit_with(visitor, lambda: visitor.press("Control+Enter"))

        assert ranking.tiers == [[salted], [other]]
        assert ranking.ratings == {str(salted): {"helpful": 7}, str(other): {"helpful": 2}}
        assert ranking.flags == {str(other): ["wrong_task"]}
        [passage] = ranking.spans[str(salted)]
        assert SALT[passage["start"] : passage["end"]].startswith("taste")
        assert ranking.rationale == "It says 1 2 3."
        assert ranking.edited == {"id": salted, "text": "Salt it."}

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_is_said_by_pointer_with_no_barrier(self, visit, ada, asking, scheme):
        visitor = visit(color_scheme=scheme)
        ids = opened(visitor, ada, asking([SALT, *ANSWERS[:3]], **ALL), 4)
        page = visitor.page
        for letter in "ABC":
            page.get_by_role("button", name=re.compile(f"Rank .*: Response {letter}")).click()
        for card in page.get_by_role("article").all():
            card.get_by_role("radio", name="4").click()

        page.get_by_role("button", name="Flags of Response A").click()
        page.get_by_role("checkbox", name="Makes things up").check()
        salt = page.get_by_role("article").filter(has_text="Salt 🧂")
        salted = int(salt.get_attribute("data-candidate"))
        salt.get_by_role("button", name="Mark a passage").click()
        field = page.get_by_role("textbox", name="as it was written")
        field.dblclick(position={"x": 24, "y": 22})
        page.get_by_role("combobox", name="What is wrong").select_option("opinion")
        page.get_by_role("button", name="Mark it").click()
        assert visitor.barriers() == []
        page.get_by_role("button", name="Done").click()
        page.get_by_role("textbox", name="Why this order?").fill("A is right.")
        page.get_by_role("button", name="Improve response A").click()
        page.get_by_role("textbox", name="as it should be").fill("Better.")
        expect(page.locator("ins")).to_contain_text("Better")
        assert visitor.barriers() == []
        ranking = submit_with(visitor, lambda: page.get_by_role("button", name="Submit").click())

        assert ranking.tiers == [[pk] for pk in ids]
        assert ranking.ratings == {str(pk): {"helpful": 4} for pk in ids}
        assert ranking.flags == {str(ids[0]): ["hallucination"]}
        [passage] = ranking.spans[str(salted)]
        assert passage == {"start": 0, "end": len("Salt"), "flag": "opinion"}
        assert (ranking.rationale, ranking.edited) == ("A is right.", {"id": ids[0], "text": "Better."})


class TestLongOnes:
    def test_are_read_one_at_a_time_and_compared_two_at_a_time(self, visit, ada, asking):
        visitor = visit()
        texts = [f"{ANSWERS[place % 4]}\n\nNumber {place}." for place in range(6)]
        ids = opened(visitor, ada, asking(texts), 6)
        cards = visitor.page.get_by_role("article")

        visitor.press("o", "j", "j")
        expect(cards).to_have_count(1)
        expect(cards).to_have_attribute("data-candidate", str(ids[2]))
        assert visitor.barriers() == []
        visitor.press("Escape", "m")
        expect(cards).to_have_count(2)
        assert visitor.barriers() == []
        wanted = [ids[place] for place in (2, 4, 0, 5, 1, 3)]
        while cards.count() == 2:
            pair = [int(card.get_attribute("data-candidate")) for card in cards.all()]
            visitor.press("ArrowLeft" if wanted.index(pair[0]) < wanted.index(pair[1]) else "ArrowRight")
        expect(cards).to_have_count(6)
        ranking = submit_with(visitor, lambda: visitor.press("Enter"))

        assert ranking.tiers == [[pk] for pk in wanted]

    def test_show_in_chinese_what_changed(self, visit, ada, asking):
        visitor = visit(locale="zh-CN")
        opened(visitor, ada, asking(NEAR), 2)

        visitor.page.get_by_role("button", name="差异").click()

        expect(visitor.page.locator("del")).to_have_text(re.compile("^(洋葱|大蒜)$"))
        expect(visitor.page.locator("ins")).to_have_text(re.compile("^(洋葱|大蒜)$"))


class TestOnAPhone:
    def test_letters_lead_to_each_response_and_taps_rank_them(self, visit, ada, asking):
        visitor = visit(viewport={"width": 390, "height": 844}, has_touch=True)
        ids = opened(visitor, ada, asking([f"{ANSWERS[0]}\n\nNumber {n}." for n in range(9)]), 9)
        page = visitor.page
        rail = page.get_by_role("navigation", name="Responses")

        rail.get_by_role("button", name="Response I").tap()
        expect(page.get_by_role("heading", name="Response I")).to_be_in_viewport()
        page.get_by_role("button", name="Rank 1st: Response I").tap()
        expect(rail.get_by_role("button", name="Response I")).to_contain_text("1st")
        for place, letter in enumerate("ABCDEFG", start=2):
            rail.get_by_role("button", name=f"Response {letter}").tap()
            page.get_by_role("button", name=re.compile(f"Rank {place}..: Response {letter}")).tap()
        assert visitor.barriers() == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        ranking = submit_with(visitor, lambda: page.get_by_role("button", name="Submit").tap())

        assert ranking.tiers == [[ids[8]], *([pk] for pk in ids[:8])]


class TestDragging:
    def test_a_chip_goes_between_others_or_onto_one(self, visit, ada, asking):
        visitor = visit()
        a, b, c, d = opened(visitor, ada, asking(ANSWERS), 4)
        visitor.press("1", "2", "3")  # A > B > C > D
        page = visitor.page
        tray = page.get_by_role("list", name="Ranking so far")

        def chip(letter):
            return tray.get_by_role("group", name=f"Response {letter}")

        tray.hover()
        expect(chip("D")).to_have_attribute("draggable", "true")
        width = chip("A").bounding_box()["width"]
        chip("D").drag_to(chip("A"), source_position={"x": 36, "y": 18}, target_position={"x": 4, "y": 18})
        expect(tray).to_have_text(re.compile("D.*A.*B.*C"))
        expect(chip("C")).to_have_attribute("draggable", "true")
        chip("C").drag_to(
            chip("A"), source_position={"x": 36, "y": 18}, target_position={"x": width / 2, "y": 18}
        )
        expect(page.locator("[data-live-region]")).to_have_text(re.compile("D > A = C > B"))
        ranking = submit_with(visitor, lambda: visitor.press("Enter"))

        assert ranking.tiers == [[d], [a, c], [b]]
