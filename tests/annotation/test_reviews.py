import random
from datetime import timedelta
from uuid import uuid4

import pytest

from annotation.actions.assignments import skip_assignment
from annotation.actions.candidates import add_candidate_set
from annotation.actions.demonstrations import (
    claim_demonstration,
    reason_of_return,
    save_draft,
    submit_demonstration,
)
from annotation.actions.prompts import add_prompt
from annotation.actions.reviews import (
    claim_adjudications,
    claim_review,
    orders_of_labelers,
    review_demonstration,
    reviews_waiting,
)
from annotation.errors import LeaseLost, ReasonMissing, StaleRevision
from annotation.models import Assignment, Demonstration, Review
from tests.annotation.test_demonstrations import ANSWER, submit
from tests.annotation.test_submit_ranking import submit as submit_order
from tests.conftest import NOON

LATER = NOON + timedelta(hours=2)


@pytest.fixture
def written(kitchen, soup, ada):
    draft = claim_demonstration(campaign=kitchen, labeler=ada)
    submit(draft)
    return draft


@pytest.fixture
def review(kitchen):
    def decide(reviewer, verdict, reason="", now=NOON):
        taken = claim_review(campaign=kitchen, reviewer=reviewer, now=now)
        return review_demonstration(
            demonstration=taken,
            reviewer=reviewer,
            verdict=verdict,
            reason=reason,
            revision=taken.revision,
            now=now,
        )

    return decide


class TestClaimReview:
    def test_gives_the_oldest_first(self, kitchen, written, ben, rosa):
        prompt, _ = add_prompt(campaign=kitchen, messages=[{"role": "user", "content": "Rice?"}])
        newer = claim_demonstration(campaign=kitchen, labeler=ben)
        submit_demonstration(
            demonstration=newer, turns=ANSWER, seconds_spent=1, idempotency_key=uuid4(), now=LATER
        )

        assert claim_review(campaign=kitchen, reviewer=rosa, now=LATER) == written

    def test_gives_the_same_again_after_a_reload(self, kitchen, written, rosa):
        first = claim_review(campaign=kitchen, reviewer=rosa, now=NOON)

        assert claim_review(campaign=kitchen, reviewer=rosa, now=NOON) == first == written

    def test_never_gives_one_to_two_reviewers(self, kitchen, written, rosa, raj):
        claim_review(campaign=kitchen, reviewer=rosa, now=NOON)

        assert claim_review(campaign=kitchen, reviewer=raj, now=NOON) is None
        assert claim_review(campaign=kitchen, reviewer=raj, now=LATER) == written

    def test_never_gives_reviewers_their_own(self, kitchen, soup, rosa, raj):
        submit(claim_demonstration(campaign=kitchen, labeler=rosa))

        assert claim_review(campaign=kitchen, reviewer=rosa, now=NOON) is None
        assert claim_review(campaign=kitchen, reviewer=raj, now=NOON)

    def test_gives_no_drafts(self, kitchen, soup, ada, rosa):
        claim_demonstration(campaign=kitchen, labeler=ada)

        assert claim_review(campaign=kitchen, reviewer=rosa, now=NOON) is None


class TestReviewDemonstration:
    def test_accepts(self, written, rosa, review):
        stored, is_new = review(rosa, "ACCEPTED")

        assert is_new
        assert Demonstration.objects.get().status == Demonstration.Status.ACCEPTED
        assert (stored.reviewer, stored.turns, stored.reviewed_at) == (rosa, ANSWER, NOON)

    def test_returns_with_a_reason_only(self, written, rosa, review):
        with pytest.raises(ReasonMissing):
            review(rosa, "RETURNED", reason=" ")

        assert Demonstration.objects.get().status == Demonstration.Status.SUBMITTED
        assert not Review.objects.exists()

    def test_takes_a_second_click_for_the_same_one(self, written, rosa, review, kitchen):
        stored, _ = review(rosa, "RETURNED", "Say how long.")

        again, is_new = review_demonstration(
            demonstration=written,
            reviewer=rosa,
            verdict="RETURNED",
            reason="Say how long.",
            revision=0,
            now=LATER,
        )

        assert (again, is_new) == (stored, False)
        assert Review.objects.count() == 1

    def test_refuses_who_was_overtaken(self, kitchen, written, rosa, raj):
        claim_review(campaign=kitchen, reviewer=rosa, now=NOON)
        claim_review(campaign=kitchen, reviewer=raj, now=LATER)

        with pytest.raises(LeaseLost):
            review_demonstration(
                demonstration=written, reviewer=rosa, verdict="ACCEPTED", revision=0, now=LATER
            )

    def test_refuses_a_verdict_on_a_text_that_was_not_looked_at(self, kitchen, written, rosa, ada, review):
        review(rosa, "RETURNED", "Say how long.")
        revised = claim_demonstration(campaign=kitchen, labeler=ada)
        submit(revised)
        claim_review(campaign=kitchen, reviewer=rosa, now=LATER)

        with pytest.raises(StaleRevision):
            review_demonstration(
                demonstration=revised, reviewer=rosa, verdict="ACCEPTED", revision=0, now=LATER
            )


class TestReturnedDemonstration:
    def test_reaches_its_author_before_anything_else_with_the_reason(
        self, kitchen, written, ada, rosa, review
    ):
        rice, _ = add_prompt(campaign=kitchen, messages=[{"role": "user", "content": "Rice?"}])
        begun = claim_demonstration(campaign=kitchen, labeler=ada)
        assert begun.prompt == rice
        review(rosa, "RETURNED", "Say how long.")

        returned = claim_demonstration(campaign=kitchen, labeler=ada)

        assert returned == written
        assert (returned.status, returned.turns) == (Demonstration.Status.DRAFT, ANSWER)
        assert reason_of_return(returned) == "Say how long."
        assert reason_of_return(begun) == ""

    def test_goes_on_from_its_revision_so_that_no_old_text_wins(self, kitchen, soup, ada, rosa, review):
        draft = claim_demonstration(campaign=kitchen, labeler=ada)
        save_draft(demonstration=draft, turns=ANSWER, revision=0)
        submit(draft)
        review(rosa, "RETURNED", "Say how long.")

        returned = claim_demonstration(campaign=kitchen, labeler=ada)

        assert returned.revision == 2
        with pytest.raises(StaleRevision):
            save_draft(demonstration=returned, turns=[], revision=1)

    def test_is_handed_in_again_and_accepted(self, kitchen, written, ada, rosa, review):
        review(rosa, "RETURNED", "Say how long.")
        longer = [{"role": "assistant", "content": "Boil vegetables in broth for an hour."}]

        submit(claim_demonstration(campaign=kitchen, labeler=ada), turns=longer)
        review(rosa, "ACCEPTED")

        assert Demonstration.objects.get().status == Demonstration.Status.ACCEPTED
        assert [review.turns for review in Review.objects.order_by("pk")] == [ANSWER, longer]
        assert reason_of_return(Demonstration.objects.get()) == ""

    def test_is_not_handed_in_by_an_old_submission_that_arrives_late(self, kitchen, soup, ada, rosa, review):
        key = uuid4()
        submit(claim_demonstration(campaign=kitchen, labeler=ada), key=key)
        review(rosa, "RETURNED", "Say how long.")
        returned = claim_demonstration(campaign=kitchen, labeler=ada)

        assert submit(returned, key=key)[1] is False
        assert Demonstration.objects.get().status == Demonstration.Status.DRAFT

    def test_leaves_its_prompt_to_others_too(self, kitchen, written, ben, rosa, review):
        assert claim_demonstration(campaign=kitchen, labeler=ben) is None

        review(rosa, "RETURNED", "Say how long.")

        assert claim_demonstration(campaign=kitchen, labeler=ben).prompt == written.prompt


@pytest.fixture
def disagreement(kitchen, soup_set, ada, claim):
    """Ada ranked the soups; a reviewer is asked to settle it."""
    ranking, _ = submit_order(claim(kitchen, ada), ada)
    Assignment.objects.create(
        candidate_set=soup_set, campaign=kitchen, purpose=Assignment.Purpose.ADJUDICATION
    )
    return ranking


class TestAdjudication:
    def claim(self, campaign, reviewer, holding=(), now=NOON):
        claimed = claim_adjudications(
            campaign=campaign, reviewer=reviewer, count=1, holding=holding, now=now, rng=random.Random(0)
        )
        return claimed[0] if claimed else None

    def test_is_ranked_like_any_other_set(self, kitchen, disagreement, rosa):
        assignment = self.claim(kitchen, rosa)

        ranking, is_new = submit_order(assignment, rosa)

        assert is_new
        assert assignment.purpose == Assignment.Purpose.ADJUDICATION
        assert sorted(ranking.shown_order) == sorted(disagreement.shown_order)

    def test_goes_to_one_reviewer_at_a_time(self, kitchen, disagreement, rosa, raj):
        held = self.claim(kitchen, rosa)

        assert self.claim(kitchen, rosa) == held
        assert self.claim(kitchen, rosa, holding=[held.key]) is None
        assert self.claim(kitchen, raj) is None
        assert self.claim(kitchen, raj, now=LATER) == held

    def test_never_goes_to_a_reviewer_who_ranked_the_set(self, kitchen, disagreement, ada, rosa):
        ada.role = "reviewer"

        assert self.claim(kitchen, ada) is None
        assert self.claim(kitchen, rosa)

    def test_never_goes_to_who_passed_on_it_or_wrote_for_it(self, kitchen, disagreement, soup_set, rosa, raj):
        skip_assignment(assignment=self.claim(kitchen, rosa), labeler=rosa, reason="No idea", now=NOON)
        soup_set.authors.add(raj)

        assert self.claim(kitchen, rosa) is None
        assert self.claim(kitchen, raj) is None

    def test_is_no_ordinary_work(self, kitchen, disagreement, ben, rosa, claim):
        assert claim(kitchen, ben) is None
        self.claim(kitchen, rosa)
        assert claim(kitchen, rosa) is None

    def test_shows_what_labelers_said_when_asked_and_nothing_of_gold(
        self, kitchen, soup_set, disagreement, ben, rosa
    ):
        gold = Assignment.objects.create(
            candidate_set=soup_set, campaign=kitchen, purpose=Assignment.Purpose.GOLD
        )
        gold.claim(ben, now=NOON, lease=timedelta(minutes=5), shown_order=disagreement.shown_order)
        submit_order(gold, ben)

        assert orders_of_labelers(self.claim(kitchen, rosa)) == [disagreement]


class TestReviewsWaiting:
    def test_counts_what_waits_and_what_was_decided_today(self, kitchen, written, disagreement, rosa, review):
        before = reviews_waiting(kitchen, rosa, now=NOON)
        review(rosa, "ACCEPTED")
        after = reviews_waiting(kitchen, rosa, now=NOON)

        assert (before.demonstrations_waiting, before.adjudications_waiting) == (1, 1)
        assert (after.demonstrations_waiting, after.reviewed_today, after.adjudicated_today) == (0, 1, 0)

    def test_counts_what_is_held(self, kitchen, soup, disagreement, rosa):
        add_candidate_set(prompt=soup, texts=["Yes.", "No."])
        claim_adjudications(
            campaign=kitchen, reviewer=rosa, count=1, holding=[], now=NOON, rng=random.Random(0)
        )

        assert reviews_waiting(kitchen, rosa, now=NOON).adjudications_waiting == 1
