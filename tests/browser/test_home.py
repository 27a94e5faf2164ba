"""Home, history and the guideline beside the task: what somebody did, what was said of it, what is new."""

import os
import random
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation.actions.assignments import claim_assignments
from annotation.actions.campaigns import publish_guideline
from annotation.actions.demonstrations import claim_demonstration, submit_demonstration
from annotation.actions.rankings import submit_ranking
from annotation.actions.reviews import claim_review, review_demonstration
from annotation.models import Acknowledgement, Campaign, Person, Ranking, Review
from tests.browser.test_every_screen import NAMES, own_texts

SHOTS = os.environ.get("SHOTS")
NEW = "Be kind. **Prefer** the answer that helps soonest.\n\nTie what is equally good."


@pytest.fixture
def rosa(transactional_db):
    return Person.objects.create_user("rosa", password="correct horse", role=Person.Role.REVIEWER)


@pytest.fixture
def ranked(ada, kitchen):
    """Ada ranked one, in the order in which the responses were shown."""
    now = timezone.now()
    (assignment,) = claim_assignments(
        campaign=kitchen, labeler=ada, count=1, holding=[], now=now, rng=random.Random(0)
    )
    ranking, _ = submit_ranking(
        assignment=assignment,
        labeler=ada,
        tiers=[[pk] for pk in assignment.shown_order],
        unacceptable=[],
        cannot_judge="",
        seconds_spent=42,
        idempotency_key=uuid4(),
        now=now,
    )
    return ranking


@pytest.fixture
def returned(ada, rosa, kitchen):
    """Rosa returned what Ada wrote."""
    demonstration = claim_demonstration(campaign=kitchen, labeler=ada)
    submit_demonstration(
        demonstration=demonstration,
        turns=[{"role": "assistant", "content": "Salt it."}],
        seconds_spent=90,
        idempotency_key=uuid4(),
        now=timezone.now(),
    )
    shown = claim_review(campaign=kitchen, reviewer=rosa, now=timezone.now())
    review, _ = review_demonstration(
        demonstration=shown,
        reviewer=rosa,
        verdict="RETURNED",
        reason="Say how much salt.",
        revision=shown.revision,
        now=timezone.now(),
    )
    return review


class TestHome:
    def test_feedback_is_read_where_it_is_opened_and_leads_to_the_editor(self, visit, ada, returned):
        Person.objects.filter(pk=ada.pk).update(preferences={"daily_goal": 4})
        visitor = visit()
        visitor.enter(ada, "/app/")
        page = visitor.page
        expect(page.get_by_role("heading", name="1 of 4 today")).to_be_visible()
        expect(page.get_by_role("heading", name="One new review")).to_be_visible()

        with page.expect_response(re.compile("/feedback/read$")):
            page.get_by_role("link", name=re.compile("^Open ")).click()
        expect(page.get_by_text("Say how much salt.")).to_be_visible()
        assert Review.objects.get().read_at is not None
        page.get_by_role("link", name="Revise").click()

        expect(page.get_by_label("Turn 1: You, as the assistant")).to_have_value("Salt it.")
        page.get_by_role("link", name="Rankwright").click()
        expect(page.get_by_role("heading", name="Kitchen")).to_be_visible()
        expect(page.get_by_role("heading", name="One new review")).to_have_count(0)

    def test_continues_with_what_was_begun(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, f"/app/demonstrate/{kitchen.pk}")
        page = visitor.page
        page.get_by_label("Turn 1: You, as the assistant").fill("Half")
        expect(page.get_by_text("Draft saved")).to_be_visible()

        page.get_by_role("link", name="Rankwright").click()
        expect(page.get_by_text("You began a demonstration in Kitchen")).to_be_visible()
        page.get_by_role("link", name="Continue").click()

        expect(page.get_by_label("Turn 1: You, as the assistant")).to_have_value("Half")

    def test_says_why_nothing_waits(self, visit, ada, kitchen):
        Campaign.objects.update(status=Campaign.Status.PAUSED)
        visitor = visit()
        visitor.enter(ada, "/app/")

        expect(visitor.page.get_by_role("heading", name="Nothing waits for you now")).to_be_visible()
        expect(visitor.page.get_by_text("This campaign is paused.")).to_be_visible()


class TestHistory:
    def test_a_ranking_is_corrected_from_the_keyboard(self, visit, ada, ranked):
        visitor = visit()
        visitor.enter(ada, "/app/history")
        page = visitor.page
        expect(page.get_by_text("A > B > C > D")).to_be_visible()
        page.get_by_role("link", name="Correct").focus()
        visitor.press("Enter")
        expect(page.get_by_text("You correct a ranking")).to_be_visible()
        expect(page.get_by_role("button", name="Submit")).to_be_enabled()

        visitor.press("r", "4", "3", "2")
        with page.expect_response(re.compile("/corrections$")) as answered:
            visitor.press("Enter")

        assert answered.value.status == 201
        first, second = Ranking.objects.order_by("revision")
        assert (first.pk, first.tiers) == (ranked.pk, ranked.tiers)
        assert (second.revision, second.tiers) == (2, ranked.tiers[::-1])
        expect(page.get_by_text("D > C > B > A")).to_be_visible()
        expect(page.locator("[data-standing=CORRECTED]")).to_be_visible()

    def test_a_correction_without_a_network_is_sent_at_the_next_visit(self, visit, ada, ranked):
        visitor = visit()
        visitor.enter(ada, f"/app/history/rankings/{ranked.assignment.key}/correct")
        page = visitor.page
        expect(page.get_by_role("button", name="Submit")).to_be_enabled()
        visitor.expect_console("ERR_INTERNET_DISCONNECTED|ERR_FAILED")
        page.context.set_offline(True)
        visitor.press("r", "4", "3", "2", "Enter")
        expect(page.get_by_role("heading", name="Your correction is kept on this device")).to_be_visible()
        expect(page.locator(".save-state")).to_contain_text("1 waiting")
        page.goto("about:blank")
        page.context.set_offline(False)

        # Perhaps for the second time: the network came back before the page did.
        with page.expect_response(re.compile("/corrections$")):
            visitor.go("/app/")

        expect(page.locator(".save-state")).to_have_text("All saved")
        first, second = Ranking.objects.order_by("revision")
        assert (second.revision, second.tiers) == (2, first.tiers[::-1])

    def test_a_window_that_is_over_offers_nothing(self, visit, ada, ranked):
        Ranking.objects.update(submitted_at=timezone.now() - timedelta(days=3))
        visitor = visit()
        visitor.enter(ada, f"/app/history/rankings/{ranked.assignment.key}")
        expect(visitor.page.get_by_text("A > B > C > D")).to_be_visible()

        expect(visitor.page.get_by_role("link", name="Correct")).to_have_count(0)
        visitor.go(f"/app/history/rankings/{ranked.assignment.key}/correct")

        expect(visitor.page.get_by_role("heading", name="The time to correct this is over")).to_be_visible()


class TestGuideline:
    def test_a_change_is_asked_about_at_the_next_item_read_and_acknowledged(self, visit, ada, kitchen):
        first = kitchen.guidelines.get()
        Acknowledgement.objects.create(guideline=first, labeler=ada, acknowledged_at=timezone.now())
        visitor = visit()
        page = visitor.page
        page.clock.install()
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        expect(page.locator("article[data-candidate]:visible")).to_have_count(4)
        visitor.press("2", "1")
        publish_guideline(campaign=kitchen, text=NEW, now=timezone.now())
        with page.expect_response(re.compile("/api/campaigns")):
            page.clock.fast_forward(31_000)
        expect(page.get_by_role("button", name="Guideline (not read yet)")).to_be_visible()
        expect(page.get_by_text("The guideline has changed")).to_have_count(0)

        with page.expect_response(re.compile("/ranking$")):
            visitor.press("3", "Enter")
        expect(page.get_by_text("The guideline has changed: version 2.")).to_be_visible()
        visitor.press("4")
        page.get_by_role("button", name="What changed").click()
        panel = page.get_by_role("complementary", name="Guideline")
        expect(panel.locator("ins").first).to_be_visible()
        expect(panel.get_by_text("What changed since version 1:")).to_be_visible()
        panel.get_by_role("button", name="I have read version 2").click()
        expect(panel.get_by_text("You read version 2")).to_be_visible()

        assert Acknowledgement.objects.get(guideline__version=2).labeler == ada
        expect(page.get_by_text("The guideline has changed")).to_have_count(0)
        visitor.press("Escape")
        expect(panel).to_have_count(0)
        expect(page.get_by_role("list", name="Ranking so far, best first")).to_contain_text("D")

    def test_is_searched_with_marks_and_the_task_goes_on_beside_it(self, visit, ada, kitchen):
        long = "Prefer what helps.\n\n" * 60 + "Salt comes **la**st.\n\n" + "Prefer what helps.\n\n" * 20
        publish_guideline(campaign=kitchen, text=long, now=timezone.now())
        visitor = visit()
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        page = visitor.page
        expect(page.locator("article[data-candidate]:visible")).to_have_count(4)
        visitor.press("l")
        panel = page.get_by_role("complementary", name="Guideline")
        expect(panel.get_by_text("Prefer what helps.").first).to_be_visible()

        panel.get_by_label("Find in the guideline").fill("COMES LAST")
        expect(panel.get_by_text("1 of 1")).to_be_visible()
        marked = page.evaluate("[...CSS.highlights.get('found-now')].map(String)")
        panel.get_by_label("Find in the guideline").fill("helps")
        expect(panel.get_by_text("1 of 80")).to_be_visible()
        visitor.press("Enter", "Enter", "Shift+Enter", "Shift+Enter", "Shift+Enter")

        assert marked == ["comes last"]
        expect(panel.get_by_text("80 of 80")).to_be_visible()
        assert page.evaluate("CSS.highlights.get('found').size") == 80
        visitor.press("Escape")
        panel.get_by_role("heading", name="Guideline").focus()
        visitor.press("1", "2", "3", "l")
        expect(panel).to_have_count(0)
        with page.expect_response(re.compile("/ranking$")):
            visitor.press("Enter")
        assert Ranking.objects.count() == 1

    def test_is_a_dialog_where_there_is_no_room_beside_the_task(self, visit, ada, kitchen):
        visitor = visit(viewport={"width": 390, "height": 800})
        visitor.enter(ada, f"/app/rank/{kitchen.pk}")
        page = visitor.page
        expect(page.locator("article[data-candidate]:visible")).to_have_count(4)
        page.get_by_role("button", name="Guideline").click()

        dialog = page.get_by_role("dialog", name="Guideline")
        expect(dialog).to_contain_text("Be kind. Prefer the answer that helps.")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert visitor.barriers() == []
        visitor.press("Escape")
        expect(dialog).to_have_count(0)


SCREENS = [
    "",
    "history",
    "history/rankings/{ranking}",
    "history/demonstrations/{demonstration}",
    "guidelines/{campaign}",
]


class TestEveryScreen:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_has_no_barriers_and_speaks_chinese(self, visit, ada, kitchen, ranked, returned, scheme):
        publish_guideline(campaign=kitchen, text=NEW, now=timezone.now())
        visitor = visit(color_scheme=scheme, locale="zh-CN", viewport={"width": 390, "height": 800})
        places = {
            "ranking": ranked.assignment.key,
            "demonstration": returned.demonstration_id,
            "campaign": kitchen.pk,
        }
        for screen in SCREENS:
            visitor.enter(ada, "/app/" + screen.format(**places))
            expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
            expect(visitor.page.locator("[aria-busy=true]")).to_have_count(0)
            if SHOTS:
                visitor.page.screenshot(
                    path=f"{SHOTS}/{scheme}-{screen.split('/')[0] or 'home'}{len(screen)}.png", full_page=True
                )

            assert visitor.barriers() == [], screen
            assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390, screen
            words = {word for text in own_texts(visitor.page) for word in re.findall("[A-Za-z]{2,}", text)}
            assert words <= NAMES | {"Kitchen"}, screen
