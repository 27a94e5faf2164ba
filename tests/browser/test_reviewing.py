"""A reviewer returns, accepts and settles; the author reads why and revises."""

import re
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation.models import Assignment, CandidateSet, Demonstration, Person, Ranking, Review


@pytest.fixture
def rosa(transactional_db):
    return Person.objects.create_user("rosa", password="correct horse", role=Person.Role.REVIEWER)


def write(visitor, text):
    visitor.page.get_by_label("Turn 1: You, as the assistant").fill(text)
    with visitor.page.expect_response(re.compile("/submission$")):
        visitor.press("Control+Enter")


def disagreement(candidate_set):
    return Assignment.objects.create(
        candidate_set=candidate_set,
        campaign=candidate_set.prompt.campaign,
        purpose=Assignment.Purpose.ADJUDICATION,
    )


class TestReviewing:
    def test_a_demonstration_is_returned_revised_and_accepted_by_keyboard(self, visit, ada, rosa, kitchen):
        author, reviewer = visit(), visit()
        author.enter(ada, f"/app/demonstrate/{kitchen.pk}")
        write(author, "Brown the onions.")
        reviewer.enter(rosa, f"/app/review/{kitchen.pk}")
        page = reviewer.page
        expect(page.get_by_role("region", name="Demonstration")).to_contain_text("Brown the onions.")

        reviewer.press("r")
        page.keyboard.type("Say for how long.")
        page.reload()
        expect(page.get_by_label("What should be different")).to_have_value("Say for how long.")
        reviewer.press("r")
        with page.expect_response(re.compile("/review$")):
            reviewer.press("Control+Enter")
        expect(page.get_by_role("heading", name="All reviewed")).to_be_visible()

        author.page.reload()
        expect(author.page.get_by_role("region", name="returned this to you")).to_contain_text(
            "Say for how long."
        )
        expect(author.page.get_by_label("Turn 1")).to_have_value("Brown the onions.")
        write(author, "Brown the onions for ten minutes.")
        page.reload()
        shown = page.get_by_role("region", name="Demonstration")
        expect(shown.locator("ins")).to_have_text("for ten minutes")
        reviewer.press("v")
        expect(shown).to_contain_text("Brown the onions for ten minutes.")
        expect(shown.locator("ins")).to_have_count(0)
        expect(page.get_by_role("complementary", name="Guideline")).to_contain_text("Be kind.")
        expect(page.get_by_role("region", name="Returned before")).to_contain_text("Say for how long.")
        with page.expect_response(re.compile("/review$")) as answered:
            reviewer.press("y")

        assert answered.value.status == 201
        assert Demonstration.objects.get(status="ACCEPTED").labeler == ada
        assert list(Review.objects.order_by("pk").values_list("verdict", "turns__0__content")) == [
            ("RETURNED", "Brown the onions."),
            ("ACCEPTED", "Brown the onions for ten minutes."),
        ]

    def test_a_verdict_on_a_text_that_was_changed_meanwhile_is_not_taken(self, visit, ada, rosa, kitchen):
        author, reviewer = visit(), visit()
        author.enter(ada, f"/app/demonstrate/{kitchen.pk}")
        write(author, "Brown the onions.")
        author.page.goto("about:blank")
        reviewer.expect_console(r"409 \(Conflict\)")
        reviewer.enter(rosa, f"/app/review/{kitchen.pk}")
        page = reviewer.page
        expect(page.get_by_role("region", name="Demonstration")).to_contain_text("Brown the onions.")

        # Rosa went for lunch; Raj returned it, and Ada has revised it since.
        raj = Person.objects.create_user("raj", role=Person.Role.REVIEWER)
        written = Demonstration.objects.get(status="SUBMITTED")
        written.decide(rosa, "RETURNED", revision=written.revision)
        returned = {"verdict": "RETURNED", "reason": "How long?", "turns": written.turns}
        Review.objects.create(
            demonstration=written, reviewer=raj, reviewed_at=written.submitted_at, **returned
        )
        written.reopen()
        revised = [{"role": "assistant", "content": "For ten minutes."}]
        written.submit(revised, now=written.created_at, seconds_spent=9, idempotency_key=uuid4())
        reviewer.press("y")

        expect(page.get_by_role("alert")).to_contain_text("Its author has changed it since")
        assert Demonstration.objects.get(pk=written.pk).status == "SUBMITTED"
        page.get_by_role("button", name="Go on to the next one").click()
        expect(page.get_by_role("region", name="Demonstration").locator("ins")).to_contain_text("For ten")
        with page.expect_response(re.compile("/review$")):
            reviewer.press("y")
        assert Demonstration.objects.get(pk=written.pk).status == "ACCEPTED"

    def test_a_disagreement_is_settled_with_the_labelers_orders_in_sight(self, visit, ada, rosa, kitchen):
        labeler, reviewer = visit(), visit()
        disagreement(CandidateSet.objects.earliest("pk"))
        labeler.enter(ada, f"/app/rank/{kitchen.pk}")
        expect(labeler.page.locator("article[data-candidate]:visible")).to_have_count(4)
        with labeler.page.expect_response(re.compile("/ranking$")):
            labeler.press("1", "2", "3", "Enter")
        reviewer.enter(rosa, "/app/")
        page = reviewer.page

        page.get_by_role("link", name="Reviews").click()
        expect(page.get_by_text("1 disagreement waiting")).to_be_visible()
        page.get_by_role("link", name="Adjudicate – Kitchen").click()
        expect(page.locator("article[data-candidate]:visible")).to_have_count(4)
        expect(page.get_by_role("button", name="Show what labelers said")).to_be_disabled()
        reviewer.press("3", "2", "1", "q")
        expect(page.get_by_role("region", name="What labelers said")).to_contain_text("Labeler 1")
        expect(page.get_by_role("list", name="Where labelers put Response A")).to_contain_text("Labeler 1: ")
        with page.expect_response(re.compile("/ranking$")):
            reviewer.press("Enter")

        expect(page.get_by_role("heading", name="All settled")).to_be_visible()
        assert Ranking.objects.get(labeler=rosa).assignment.purpose == Assignment.Purpose.ADJUDICATION

    def test_labelers_are_not_shown_the_way(self, visit, ada, kitchen):
        visitor = visit()
        visitor.enter(ada, "/app/")

        expect(visitor.page.get_by_role("heading", name="Kitchen")).to_be_visible()
        expect(visitor.page.get_by_role("link", name="Reviews")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
class TestBarriers:
    def test_reviewing_has_none(self, visit, ada, rosa, kitchen, scheme):
        author, visitor = visit(), visit(color_scheme=scheme)
        author.enter(ada, f"/app/demonstrate/{kitchen.pk}")
        write(author, "Brown the **onions**.")
        visitor.enter(rosa, "/app/review")
        expect(visitor.page.get_by_role("heading", name="Kitchen")).to_be_visible()
        assert visitor.barriers() == []

        visitor.page.get_by_role("link", name="Review – Kitchen").click()
        expect(visitor.page.get_by_role("region", name="Demonstration")).to_be_visible()
        assert visitor.barriers() == []
        visitor.press("Control+Enter")
        expect(visitor.page.get_by_text("Say what should be different before")).to_be_visible()
        assert visitor.barriers() == []
        visitor.page.keyboard.type("Say for how long.")
        assert visitor.barriers() == []

    def test_comparing_versions_has_none_in_chinese_on_a_telephone(self, visit, ada, rosa, kitchen, scheme):
        visitor = visit(color_scheme=scheme, locale="zh-CN", viewport={"width": 390, "height": 844})
        written = Demonstration.objects.create(
            prompt=kitchen.prompts.earliest("pk"),
            labeler=ada,
            status="SUBMITTED",
            submitted_at=timezone.now(),
            turns=[{"role": "assistant", "content": "先炒**大蒜**再加水。"}],
        )
        Review.objects.create(
            demonstration=written,
            reviewer=rosa,
            verdict="RETURNED",
            reason="Garlic.",
            turns=[{"role": "assistant", "content": "先炒**洋葱**再加水。"}],
            reviewed_at=timezone.now(),
        )
        visitor.enter(rosa, f"/app/review/{kitchen.pk}")
        page = visitor.page

        expect(page.locator("del")).to_have_text("洋葱")
        expect(page.locator("ins")).to_have_text("大蒜")
        page.locator("summary").first.click()
        assert visitor.barriers() == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert not re.search("review|version|return", page.inner_text("main"), re.IGNORECASE)

    def test_settling_and_revising_have_none(self, visit, ada, rosa, kitchen, scheme):
        visitor, author = visit(color_scheme=scheme), visit(color_scheme=scheme)
        author.enter(ada, f"/app/demonstrate/{kitchen.pk}")
        write(author, "Brown the **onions**.")
        # No page asks for anything while rows are written beside the server.
        author.page.goto("about:blank")
        written = Demonstration.objects.get(status="SUBMITTED")
        Review.objects.create(
            demonstration=written,
            reviewer=rosa,
            verdict="RETURNED",
            reason="Say for how long.",
            turns=written.turns,
            reviewed_at=written.submitted_at,
        )
        Demonstration.objects.filter(pk=written.pk).update(status="RETURNED")
        disagreement(CandidateSet.objects.earliest("pk"))
        author.go(f"/app/demonstrate/{kitchen.pk}")
        expect(author.page.get_by_role("region", name="returned this to you")).to_be_visible()
        assert author.barriers() == []

        visitor.enter(rosa, f"/app/adjudicate/{kitchen.pk}")
        expect(visitor.page.locator("article:visible")).to_have_count(4)
        assert visitor.barriers() == []
        visitor.press("1", "2", "3", "o")
        assert visitor.barriers() == []
