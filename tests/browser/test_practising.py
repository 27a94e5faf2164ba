"""The first hour of a labeler: the tour, practice with its answers, and then real work."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation.actions.candidates import add_candidate_set
from annotation.actions.practice import mark_practice
from annotation.models import Assignment, PracticeAttempt, Prompt, Ranking
from tests.browser.test_every_screen import NAMES, own_texts
from tests.browser.test_ranking import shown, submit_with
from tests.browser.texts import ANSWERS

WHY = (
    "**Vinegar first**: it takes five seconds.\n\n- The second one is right, and longer than it need be.\n"
    "- The last one answers another question.\n\n<img src=x onerror=alert(1)>\n"
)


@pytest.fixture
def items(kitchen):
    """Two of Ada's first three: the kitchen's four answers, whose known order is as they were written."""
    kitchen.practice_to_pass = 2
    kitchen.save()
    return [practice_item(prompt, place) for place, prompt in enumerate(Prompt.objects.order_by("pk")[:2])]


def practice_item(prompt, place):
    candidate_set = add_candidate_set(prompt=prompt, texts=ANSWERS)
    a, b, c, d = candidate_set.completions.order_by("pk").values_list("pk", flat=True)
    return mark_practice(
        candidate_set=candidate_set,
        tiers=[[a], [b], [c]],
        unacceptable=[d],
        explanation=WHY,
        place=place,
        now=timezone.now(),
    )


def rank(visitor, item, *, upside_down=False):
    """Press the keys of the known order, or of its opposite, and hand it in."""
    on_screen = shown(visitor)
    order = [*(pk for [pk] in item.tiers), *item.unacceptable]
    keys = [str(on_screen.index(pk) + 1) for pk in order]
    if upside_down:
        visitor.press(*keys[::-1])
    else:
        visitor.press(f"Alt+Digit{keys[-1]}", *keys[:-1])
    with visitor.page.expect_response(re.compile("/attempts$")) as answered:
        visitor.press("Enter")
    assert answered.value.status == 201


class TestPractice:
    def test_comes_before_the_work_and_explains_what_was_wrong(self, visit, ada, kitchen, items):
        visitor = visit()
        # Chromium says in the console that no ranking is handed out yet.
        visitor.expect_console(r"409 \(Conflict\)")
        visitor.enter(ada, "/app/")
        page = visitor.page
        expect(page.get_by_text("Practice first: 2 items")).to_be_visible()
        page.get_by_role("link", name="Rank – Kitchen").click()
        expect(page.get_by_role("heading", name="Practice first")).to_be_visible()
        page.get_by_role("link", name="Practise").click()

        rank(visitor, items[0], upside_down=True)
        expect(page.get_by_role("heading", name="Not quite yet")).to_be_focused()
        expect(page.get_by_text("Vinegar first")).to_be_visible()
        expect(page.locator("[data-alike=false]")).to_have_count(4)
        page.get_by_role("button", name="Next item").click()
        rank(visitor, items[1])
        expect(page.get_by_text("1 of 2 passed")).to_be_visible()
        visitor.press("Control+Enter")
        rank(visitor, items[0])
        expect(page.get_by_text("You have passed. The real ones wait for you.")).to_be_visible()
        page.get_by_role("link", name="Start ranking").click()
        visitor.page.wait_for_url(f"**/app/rank/{kitchen.pk}")
        first = shown(visitor)
        visitor.press("1", "2", "3")
        ranking = submit_with(visitor, lambda: visitor.press("Enter"))

        kept = PracticeAttempt.objects.order_by("pk").values_list("item", "labeler", "is_passed")
        upside_down, right, again = items[0], items[1], items[0]
        assert list(kept) == [
            (upside_down.pk, ada.pk, False),
            (right.pk, ada.pk, True),
            (again.pk, ada.pk, True),
        ]
        assert PracticeAttempt.objects.first().tiers[0] == items[0].unacceptable
        assert (ranking.labeler, ranking.shown_order) == (ada, first)
        assert Ranking.objects.count() == 1
        assert not Assignment.objects.filter(candidate_set__practice__isnull=False).exists()

    def test_speaks_chinese_on_a_narrow_screen(self, visit, ada, kitchen, items):
        visitor = visit(locale="zh-CN", viewport={"width": 390, "height": 844})
        visitor.enter(ada, f"/app/practice/{kitchen.pk}")
        page = visitor.page

        rank(visitor, items[0], upside_down=True)
        expect(page.get_by_role("heading", name="还差一点")).to_be_focused()

        leftovers = {word for text in own_texts(page) for word in re.findall("[A-Za-z]{2,}", text)}
        assert leftovers <= NAMES | {"Kitchen"}
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("button", name="再试一次").click()
        rank(visitor, items[0])
        expect(page.get_by_text("已通过 1 / 2 题")).to_be_visible()

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_has_no_barriers(self, visit, ada, kitchen, items, scheme):
        visitor = visit(color_scheme=scheme)
        visitor.enter(ada, f"/app/practice/{kitchen.pk}")
        shown(visitor)
        assert visitor.barriers() == []

        rank(visitor, items[0], upside_down=True)
        expect(visitor.page.get_by_role("heading", name="Not quite yet")).to_be_visible()
        assert visitor.barriers() == []


class TestTheTour:
    def test_goes_by_keyboard_to_the_work_and_never_comes_again(self, visit, ada, kitchen):
        visitor = visit(first_time=True)
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        page = visitor.page
        expect(page.get_by_role("heading", name="The key places a response at the next rank")).to_be_focused()
        assert visitor.barriers() == []

        visitor.press("2")
        expect(page.get_by_role("heading", name="Response B")).to_be_visible()
        expect(page.locator("article[data-state=ranked]")).to_have_count(1)
        for title in ("Equally good", "Submit when every", "When you are unsure"):
            visitor.press("Tab")
            while page.evaluate("document.activeElement.textContent") != "Next":
                visitor.press("Tab")
            visitor.press("Enter")
            expect(page.get_by_role("heading", name=re.compile(title))).to_be_focused()
        page.get_by_role("button", name="Start ranking").press("Enter")
        shown(visitor)
        assert not PracticeAttempt.objects.exists()

        page.reload()
        assert len(shown(visitor)) == 4
        visitor.press("?")
        page.get_by_role("link", name="Show the tour again").click()
        expect(page.get_by_role("region", name="Tour, step 1 of 4")).to_be_visible()
        page.get_by_role("button", name="Skip the tour").click()
        assert len(shown(visitor)) == 4

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_fits_a_narrow_screen_in_chinese(self, visit, ada, kitchen, scheme):
        visitor = visit(
            first_time=True,
            color_scheme=scheme,
            locale="zh-CN",
            viewport={"width": 390, "height": 844},
            reduced_motion="reduce",
        )
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        page = visitor.page
        expect(page.get_by_role("region", name="上手指引，第 1 步，共 4 步")).to_be_visible()

        assert visitor.barriers() == []
        leftovers = {word for text in own_texts(page) for word in re.findall("[A-Za-z]{2,}", text)}
        assert leftovers <= NAMES | {"Kitchen", "Backspace"}
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
