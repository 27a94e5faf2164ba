"""A labeler ranks in the browser, and the row in the database says what they meant."""

import re
from contextlib import suppress

from playwright.sync_api import expect

from annotation.models import Assignment, Ranking, Skip


def shown(visitor) -> list[int]:
    """The candidates' ids, from left to right."""
    cards = visitor.page.locator("article[data-candidate]:visible")
    expect(cards).to_have_count(4)
    return [int(card.get_attribute("data-candidate")) for card in cards.all()]


def held(labeler):
    return list(Assignment.objects.for_labeler(labeler).values_list("key", flat=True))


def submit_with(visitor, press) -> Ranking:
    before = Ranking.objects.count()
    with visitor.page.expect_response(re.compile("/ranking$")) as answered:
        press()
    assert answered.value.status == 201
    assert Ranking.objects.count() == before + 1
    return Ranking.objects.latest("pk")


def tap(button):
    """What comes in sight takes its real height then, and moves what is below: on a busy machine between a
    tap and its click. Whoever sees that nothing happened taps again."""
    for _ in range(3):
        button.scroll_into_view_if_needed()
        button.tap()
        with suppress(AssertionError):
            return expect(button).to_be_hidden(timeout=1500)
    return expect(button).to_be_hidden()


class TestRankingByKeyboard:
    def test_digits_in_order_and_enter_store_a_strict_order(self, visit, ada, kitchen):
        visitor = visit()
        visitor.sign_in("ada", path=f"/app/rank/{kitchen.pk}")
        a, b, c, d = shown(visitor)

        visitor.press("3", "1", "4")  # The second one, left over, fills itself.
        ranking = submit_with(visitor, lambda: visitor.press("Enter"))

        assert ranking.labeler == ada
        assert ranking.tiers == [[c], [a], [d], [b]]
        assert ranking.shown_order == [a, b, c, d]
        assert ranking.unacceptable == []
        assert ranking.seconds_spent > 0

    def test_letters_ties_and_unacceptable_need_no_pointer(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        a, b, c, d = shown(visitor)

        visitor.press("b", "Shift+Digit4", "Alt+Digit1", "x", "3")
        ranking = submit_with(visitor, lambda: visitor.press("Enter"))

        assert ranking.tiers == [[b, d]]
        assert ranking.unacceptable == [a, c]

    def test_the_next_one_is_there_at_once_and_a_second_enter_does_nothing(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        first = shown(visitor)

        visitor.press("1", "2", "3")
        submit_with(visitor, lambda: visitor.press("Enter", "Enter"))
        visitor.page.wait_for_timeout(300)

        assert set(shown(visitor)).isdisjoint(first)
        assert Ranking.objects.count() == 1
        assert visitor.page.evaluate("document.activeElement.tagName") == "H1"
        assert Assignment.objects.claimed().for_labeler(ada).count() == 2

    def test_the_last_step_can_be_taken_back(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        a, b, c, d = shown(visitor)

        visitor.press("1", "2", "Backspace", "3", "Control+z", "Control+Shift+z", "4")
        ranking = submit_with(visitor, lambda: visitor.press("Enter"))

        assert ranking.tiers == [[a], [c], [d], [b]]

    def test_a_focused_response_moves_up_and_down(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        a, b, c, d = shown(visitor)

        visitor.press("1", "2", "3", "j", "Alt+ArrowDown", "j", "j", "Alt+ArrowUp")
        ranking = submit_with(visitor, lambda: visitor.press("Control+Enter"))

        assert ranking.tiers == [[b], [c], [a], [d]]

    def test_nothing_is_submitted_while_one_is_left(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        shown(visitor)

        visitor.press("1", "2", "Enter")

        expect(visitor.page.locator("[data-live-region]")).to_have_text("Not ranked yet: C, D")
        assert not Ranking.objects.exists()

    def test_what_cannot_be_judged_is_stored_with_its_reason(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        shown(visitor)

        visitor.press("u")
        visitor.page.get_by_label("The facts cannot be checked").check()
        visitor.page.get_by_label("In your own words").fill("No sources.")
        ranking = submit_with(
            visitor, lambda: visitor.page.get_by_role("dialog").get_by_role("button", name="Submit").click()
        )

        assert (ranking.tiers, ranking.unacceptable) == ([], [])
        assert ranking.cannot_judge == "facts: No sources."


class TestRankingByPointer:
    def test_buttons_store_a_tie_and_an_unacceptable_response(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        a, b, c, d = shown(visitor)
        page = visitor.page

        page.get_by_role("button", name="Rank 1st: Response C").click()
        page.get_by_role("button", name="= Also 1st: Response A").click()
        page.get_by_role("button", name="Unacceptable: Response D").click()
        page.get_by_role("button", name="Rank 2nd: Response B").click()
        ranking = submit_with(visitor, lambda: page.get_by_role("button", name="Submit").click())

        assert ranking.tiers == [[c, a], [b]]
        assert ranking.unacceptable == [d]

    def test_a_second_click_on_submit_stores_nothing_twice(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        first = shown(visitor)
        visitor.press("1", "2", "3")

        submit_with(visitor, lambda: visitor.page.get_by_role("button", name="Submit").dblclick())
        visitor.page.wait_for_timeout(300)

        assert set(shown(visitor)).isdisjoint(first)
        assert Ranking.objects.count() == 1

    def test_chips_move_tie_and_leave_the_ranking(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        a, b, c, d = shown(visitor)
        page = visitor.page
        for name in ("Rank 1st: Response A", "Rank 2nd: Response B", "Rank 3rd: Response C"):
            page.get_by_role("button", name=name).click()

        page.get_by_role("button", name="Move Response D up").click()  # A > B > D > C
        page.get_by_role("button", name="Make B equal to the one before").click()  # A = B > D > C
        page.get_by_role("button", name="Take Response A out of the ranking").click()  # B > D > C
        page.get_by_role("button", name="Rank 4th: Response A").click()
        ranking = submit_with(visitor, lambda: visitor.press("Enter"))

        assert ranking.tiers == [[b], [d], [c], [a]]

    def test_a_phone_shows_one_column_without_scrolling_sideways(self, visit, ada, kitchen):
        visitor = visit(viewport={"width": 390, "height": 844}, has_touch=True)
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        a, b, c, d = shown(visitor)
        page = visitor.page

        lefts = {
            round(card.bounding_box()["x"]) for card in page.locator("article[data-candidate]:visible").all()
        }
        for name in ("Rank 1st: Response D", "Rank 2nd: Response C", "Rank 3rd: Response B"):
            tap(page.get_by_role("button", name=name))
        ranking = submit_with(visitor, lambda: page.get_by_role("button", name="Submit").tap())

        assert len(lefts) == 1
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert ranking.tiers == [[d], [c], [b], [a]]

    def test_skipping_gives_it_to_somebody_else(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        first = shown(visitor)
        page = visitor.page

        page.get_by_role("button", name="Skip").click()
        page.get_by_label("I do not know this subject").check()
        with page.expect_response(re.compile("/skip$")):
            page.get_by_role("dialog").get_by_role("button", name="Skip").click()

        assert set(shown(visitor)).isdisjoint(first)
        skip = Skip.objects.get(labeler=ada)
        assert skip.reason == "subject"
        assert set(skip.candidate_set.completions.values_list("pk", flat=True)) == set(first)
