"""Whatever happens to network, page, session or lease: what was done is stored once, or is still there."""

import random
import re
from contextlib import suppress
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Error, expect

from annotation.actions.assignments import claim_assignments, return_overdue_assignments
from annotation.actions.suspension import reinstate_person, suspend_person
from annotation.models import Assignment, Demonstration, Person, Ranking, RankingDraft
from tests.browser.test_ranking import held, shown, submit_with
from tests.browser.visitor import Visitor

NETWORK = r"ERR_INTERNET_DISCONNECTED|ERR_FAILED"


def state(page):
    return page.locator(".save-state")


def wait_for_the_next(page):
    """The one behind the one on screen is there."""
    expect(page.locator("article[data-candidate]")).to_have_count(8)


def another_tab(visitor, path):
    tab = Visitor(visitor.page.context.new_page(), visitor.address)
    tab.expected = visitor.expected
    tab.go(path)
    return tab


def go_offline(visitor):
    visitor.expect_console(NETWORK)
    wait_for_the_next(visitor.page)
    visitor.page.context.set_offline(True)


@pytest.fixture
def path(kitchen):
    return f"/app/rank/{kitchen.pk}"


@pytest.fixture
def at_work(visit, ada, path):
    visitor = visit()
    visitor.enter(ada, path)
    return visitor


class TestADraftOfARanking:
    def test_is_at_the_server_within_a_second_and_goes_on_after_a_reload_and_on_another_device(
        self, visit, at_work, ada, path
    ):
        a, b, c, d = shown(at_work)
        with at_work.page.expect_response(re.compile("/draft$")) as saved:
            at_work.press("4", "2")
        assert saved.value.status == 200
        assert RankingDraft.objects.get().content["content"]["ballot"]["tiers"] == [[d], [b]]

        at_work.page.reload()
        assert shown(at_work) == [a, b, c, d]
        expect(at_work.page.get_by_role("list", name="Ranking so far")).to_contain_text("D")
        phone = visit(viewport={"width": 390, "height": 844})
        phone.enter(ada, path)
        assert shown(phone) == [a, b, c, d]
        phone.press("1")
        ranking = submit_with(phone, lambda: phone.press("Enter"))

        assert ranking.tiers == [[d], [b], [a], [c]]
        assert not RankingDraft.objects.exists()

    def test_that_two_devices_took_different_ways_shows_both_with_their_times(
        self, visit, at_work, ada, path
    ):
        a, b, c, d = shown(at_work)
        there = visit()
        there.enter(ada, path)
        shown(there)
        with there.page.expect_response(re.compile("/draft$")):
            there.press("3")
        at_work.expect_console(r"409 \(Conflict\)")
        at_work.press("1")
        asked = at_work.page.get_by_role("alert")
        expect(asked).to_contain_text(re.compile(r"version of .*\d:\d\d.* other one is of .*\d:\d\d"))

        at_work.page.get_by_role("button", name="Show the other one").click()
        expect(at_work.page.get_by_role("button", name="Take back: Response C")).to_be_visible()
        assert at_work.barriers() == []
        with at_work.page.expect_response(re.compile("/draft$")) as settled:
            at_work.page.get_by_role("button", name="Go on with this one").click()

        assert settled.value.status == 200
        assert RankingDraft.objects.get().content["content"]["ballot"]["tiers"] == [[c]]

    def test_costs_a_quick_labeler_nothing_one_request_for_each_item(self, at_work):
        shown(at_work)
        wait_for_the_next(at_work.page)
        asked = []
        at_work.page.on(
            "request", lambda request: "/api/" in request.url and asked.append(request.url.split("/")[-1])
        )

        submit_with(at_work, lambda: at_work.press("1", "2", "3", "Enter"))
        at_work.page.wait_for_timeout(1200)

        assert [name for name in asked if name != "campaigns"] == ["ranking"]
        assert not RankingDraft.objects.exists()


class TestWithoutANetwork:
    def test_work_goes_on_with_what_is_held_and_is_stored_once_after_a_crash(self, at_work, path, ada):
        first = shown(at_work)
        page = at_work.page
        at_work.expect_console(NETWORK)
        wait_for_the_next(page)
        # The browser thinks that it is online: the server is what cannot be reached.
        cut = [True]
        page.context.route("**/api/**", lambda route: route.abort() if cut else route.continue_())

        at_work.press("1", "2", "3", "Enter")
        expect(state(page)).to_have_text("Offline, 1 waiting")
        second = shown(at_work)
        at_work.press("4", "3", "2", "Enter")
        expect(page.get_by_role("heading", name="Reconnect to get more")).to_be_visible()
        expect(state(page)).to_have_text("Offline, 2 waiting")
        assert at_work.barriers() == []
        # The renderer dies in the middle of it: no unload, no last words.
        with suppress(Error):
            page.goto("chrome://crash")
        assert not Ranking.objects.exists()
        cut.clear()
        tab = another_tab(at_work, path)

        expect(state(tab.page)).to_have_text("All saved")
        third = shown(tab)
        orders = {tuple(ranking.shown_order): ranking.tiers for ranking in Ranking.objects.all()}
        assert orders[tuple(first)] == [[pk] for pk in first]
        assert orders[tuple(second)] == [[pk] for pk in reversed(second)]
        assert Ranking.objects.count() == 2
        assert set(third).isdisjoint(first + second)
        assert tab.troubles == []

    def test_a_demonstration_is_handed_in_once_too(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/demonstrate/{kitchen.pk}")
        page = visitor.page
        text = page.get_by_label("Turn 1: You, as the assistant")
        text.fill("Brown the onions.")
        expect(page.get_by_text("Draft saved")).to_be_visible()
        visitor.expect_console(NETWORK)
        page.context.set_offline(True)

        text.press("Control+Enter")
        expect(page.get_by_role("heading", name="Reconnect to get more")).to_be_visible()
        with page.expect_response(re.compile("/submission$")) as stored:
            page.context.set_offline(False)

        assert stored.value.status == 201
        expect(text).to_have_value("")
        assert Demonstration.objects.submitted().get().turns == [
            {"role": "assistant", "content": "Brown the onions."}
        ]


class TestTakingBackTheLastOne:
    def test_corrects_it(self, at_work):
        a, b, c, d = shown(at_work)
        submit_with(at_work, lambda: at_work.press("1", "2", "3", "Enter"))
        expect(at_work.page.get_by_text("Submitted.")).to_be_visible()
        assert at_work.barriers() == []

        at_work.press("Shift+U")
        assert shown(at_work) == [a, b, c, d]
        expect(at_work.page.get_by_text("This is stored already.")).to_be_visible()
        at_work.press("r", "4", "3", "2")
        with at_work.page.expect_response(re.compile("/corrections$")) as corrected:
            at_work.press("Enter")

        assert corrected.value.status == 201
        latest = Ranking.objects.latest("pk")
        assert (latest.revision, latest.tiers) == (2, [[d], [c], [b], [a]])
        assert Ranking.objects.get(revision=1).tiers == [[a], [b], [c], [d]]
        assert set(shown(at_work)).isdisjoint([a, b, c, d])

    def test_takes_it_out_of_the_outbox_where_nobody_was_reached(self, at_work):
        a, b, c, d = shown(at_work)
        go_offline(at_work)
        at_work.press("1", "2", "3", "Enter")
        expect(state(at_work.page)).to_have_text("Offline, 1 waiting")

        at_work.page.get_by_role("button", name="Undo").last.click()
        expect(state(at_work.page)).to_have_text("Offline")
        assert shown(at_work) == [a, b, c, d]
        at_work.page.context.set_offline(False)
        at_work.press("r", "2", "1", "3")
        ranking = submit_with(at_work, lambda: at_work.press("Enter"))

        assert (ranking.revision, ranking.tiers) == (1, [[b], [a], [c], [d]])

    def test_is_not_offered_where_nothing_may_be_corrected(self, visit, ada, kitchen, path):
        kitchen.correction_minutes = 0
        kitchen.save()
        visitor = visit()
        visitor.enter(ada, path)
        shown(visitor)

        submit_with(visitor, lambda: visitor.press("1", "2", "3", "Enter"))

        expect(visitor.page.get_by_text("Submitted.", exact=True)).to_have_count(0)


class TestALease:
    def test_that_nobody_keeps_alive_warns_and_is_kept_with_one_key(self, visit, ada, path):
        visitor = visit()
        visitor.page.clock.install()
        visitor.enter(ada, path)
        shown(visitor)
        leases = (
            Assignment.objects.claimed()
            .order_by("lease_expires_at")
            .values_list("lease_expires_at", flat=True)
        )
        before = leases.last()
        # The list of campaigns tells what the time is at the server, where it is not 41 minutes later.
        visitor.expect_console(NETWORK)
        visitor.page.route(re.compile(r"/api/campaigns(\?|$)"), lambda route: route.abort())

        visitor.page.clock.fast_forward("41:00")
        dialog = visitor.page.get_by_role("dialog", name="Are you still there?")
        visitor.page.clock.fast_forward(6000)
        expect(dialog.get_by_role("timer")).to_have_text(re.compile(r"^3:\d\d$"))
        visitor.page.clock.resume()
        assert visitor.barriers("[role=dialog]") == []
        with visitor.page.expect_response(re.compile("/heartbeat$")):
            visitor.press("Enter")

        expect(dialog).to_have_count(0)
        assert leases.last() > before

    def test_that_was_lost_leaves_the_work_to_be_kept_as_an_extra_opinion(self, visit, ada, kitchen, path):
        visitor = visit()
        visitor.expect_console(r"409 \(Conflict\)")
        visitor.page.clock.install()
        visitor.enter(ada, path)
        first = shown(visitor)
        visitor.press("1")
        tomorrow = timezone.now() + timedelta(days=1)
        return_overdue_assignments(now=tomorrow)
        ben = Person.objects.create_user("ben")
        while claim_assignments(
            campaign=kitchen, labeler=ben, count=9, holding=held(ben), now=tomorrow, rng=random.Random(0)
        ):
            pass

        visitor.page.clock.fast_forward(61_000)
        visitor.page.clock.fast_forward(6000)
        visitor.page.clock.resume()
        expect(visitor.page.get_by_text("Your time on this one ran out")).to_be_visible()
        assert shown(visitor) == first
        assert visitor.barriers() == []
        visitor.press("2", "3")
        ranking = submit_with(visitor, lambda: visitor.press("Enter"))

        expect(visitor.page.get_by_text("Yours is kept all the same")).to_be_visible()
        assert (ranking.labeler, ranking.assignment.purpose) == (ada, "surplus")


class TestTwoTabs:
    def test_take_turns_and_both_move_on(self, at_work, path):
        first = shown(at_work)
        at_work.press("2")
        tab = another_tab(at_work, path)
        expect(tab.page.get_by_role("alert")).to_contain_text("in another tab")
        assert tab.barriers() == []
        tab.press("1", "3", "4", "Enter")
        assert not Ranking.objects.exists()

        tab.page.get_by_role("button", name="Work here instead").click()
        expect(at_work.page.get_by_role("alert")).to_contain_text("in another tab")
        expect(tab.page.get_by_role("list", name="Ranking so far")).to_contain_text("B")
        tab.press("1", "3")
        ranking = submit_with(tab, lambda: tab.press("Enter"))

        a, b, c, d = first
        assert ranking.tiers == [[b], [a], [c], [d]]
        expect(at_work.page.locator(f"article[data-candidate='{a}']")).to_have_count(0)
        assert Assignment.objects.claimed().count() == 2
        assert tab.troubles == []


class TestASessionThatEnded:
    def test_is_begun_again_over_the_work(self, at_work, ada):
        a, b, c, d = shown(at_work)
        at_work.expect_console(r"403 \(Forbidden\)")
        at_work.press("3")
        Session.objects.all().delete()

        at_work.press("1", "2", "Enter")
        dialog = at_work.page.get_by_role("dialog", name="Sign in again")
        expect(dialog).to_contain_text("Nothing is lost")
        assert at_work.barriers("[role=dialog]") == []
        dialog.get_by_label("Password", exact=True).fill("correct horse")
        # What was tried before the sign-in may be answered late.
        with at_work.page.expect_response(
            lambda answer: answer.url.endswith("/ranking") and answer.status != 403
        ) as stored:
            dialog.get_by_role("button", name="Sign in", exact=True).click()

        assert stored.value.status == 201
        expect(dialog).to_have_count(0)
        ranking = Ranking.objects.get()
        assert (ranking.labeler, ranking.tiers) == (ada, [[c], [a], [b], [d]])

    def test_of_somebody_who_is_suspended_says_so_and_keeps_the_work(self, at_work, ada):
        root = Person.objects.create_superuser("root")
        a, b, c, d = shown(at_work)
        at_work.expect_console(r"403 \(Forbidden\)")
        suspend_person(person=ada, by=root, now=timezone.now())

        at_work.press("3", "1", "2", "Enter")
        dialog = at_work.page.get_by_role("dialog", name="Your account is suspended")
        expect(dialog.get_by_role("alert")).to_contain_text("Ask a researcher of your project")
        assert at_work.barriers("[role=dialog]") == []
        reinstate_person(person=ada, by=root)
        dialog.get_by_role("button", name="Look again").click()
        at_work.page.get_by_label("Password", exact=True).fill("correct horse")
        with at_work.page.expect_response(
            lambda answer: answer.url.endswith("/ranking") and answer.status != 403
        ) as stored:
            at_work.page.get_by_role("button", name="Sign in", exact=True).click()

        assert stored.value.status == 201
        ranking = Ranking.objects.get()
        assert (ranking.labeler, ranking.tiers) == (ada, [[c], [a], [b], [d]])

    def test_gives_nobody_else_the_work(self, at_work, ada, path):
        ben = Person.objects.create_user("ben", password="correct horse", preferences={"tour_seen": True})
        a, b, c, d = shown(at_work)
        at_work.expect_console(r"403 \(Forbidden\)")
        Session.objects.all().delete()
        at_work.press("1", "2", "3", "Enter")
        dialog = at_work.page.get_by_role("dialog", name="Sign in again")
        dialog.get_by_label("User name").fill("ben")
        dialog.get_by_label("Password", exact=True).fill("correct horse")

        dialog.get_by_role("button", name="Sign in", exact=True).click()
        expect(dialog).to_have_count(0)
        expect(state(at_work.page)).to_have_text("All saved")
        shown(at_work)
        expect(at_work.page.get_by_role("list", name="Ranking so far")).to_have_count(0)
        bens = submit_with(at_work, lambda: at_work.press("4", "3", "2", "Enter"))
        assert bens.labeler == ben
        at_work.sign_out()
        expect(at_work.page.get_by_label("User name")).to_be_visible()
        at_work.sign_in("ada", path=path)

        expect(state(at_work.page)).to_have_text("All saved")
        assert Ranking.objects.filter(labeler=ada).get().tiers == [[a], [b], [c], [d]]
        assert Ranking.objects.count() == 2


class TestWhatIsRefused:
    def test_stays_with_the_servers_words_until_its_owner_lets_go(self, at_work):
        at_work.expect_console(r"409 \(Conflict\)")
        first = shown(at_work)
        page = at_work.page
        wait_for_the_next(at_work.page)
        Assignment.objects.claimed().filter(shown_order=first).update(**Assignment.RETURNED)

        at_work.press("1", "2", "3", "Enter")
        expect(page.get_by_role("alert")).to_contain_text("no longer yours")
        assert shown(at_work) == first
        expect(page.get_by_role("list", name="Ranking so far")).to_contain_text("A")
        page.reload()
        expect(state(page)).to_have_text("1 refused")
        state(page).click()
        dialog = page.get_by_role("dialog", name="Is everything saved?")
        expect(dialog).to_contain_text("no longer yours")
        assert at_work.barriers("[role=dialog]") == []
        dialog.get_by_role("button", name="Open").click()
        assert shown(at_work) == first
        page.get_by_role("button", name="Discard").click()

        expect(state(page)).to_have_text("All saved")
        assert set(shown(at_work)).isdisjoint(first)
        assert not Ranking.objects.exists()

    def test_what_was_written_before_a_skip_is_found_again(self, at_work):
        shown(at_work)
        page = at_work.page
        at_work.press("2", "s")
        page.get_by_label("I do not know this subject").check()
        with page.expect_response(re.compile("/skip$")):
            page.get_by_role("dialog").get_by_role("button", name="Skip").click()
        expect(page.get_by_text("What you wrote of it is kept on this device")).to_be_visible()

        state(page).click()
        skipped = page.get_by_role("region", name="Skipped, with what you wrote")

        expect(skipped.get_by_role("listitem")).to_have_count(1)
        expect(skipped.get_by_role("button", name="Copy")).to_be_visible()
