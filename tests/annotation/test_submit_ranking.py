from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis.strategies import integers, permutations

from annotation.actions.assignments import return_overdue_assignments, skip_assignment
from annotation.actions.candidates import add_candidate_set, open_slots
from annotation.actions.judgements import check_partition, judgement_of
from annotation.actions.prompts import add_prompt
from annotation.actions.rankings import correct_ranking, own_rankings, submit_ranking
from annotation.errors import (
    AlreadySubmitted,
    BadEdit,
    BadInput,
    BadPassage,
    BadRating,
    BadStrength,
    CampaignPaused,
    CorrectionWindowClosed,
    DuplicateCompletion,
    IdempotencyConflict,
    IncompleteRanking,
    LeaseLost,
    RationaleMissing,
    UnknownCompletion,
    UnknownFlag,
    UnusableText,
)
from annotation.models import Assignment, Campaign, LapsedLease, Ranking
from tests.conftest import NOON


def ids(assignment):
    return sorted(assignment.shown_order)


def submit(assignment, labeler, **changes):
    details = {
        "tiers": [[pk] for pk in ids(assignment)],
        "unacceptable": [],
        "cannot_judge": "",
        "seconds_spent": 12.5,
        "idempotency_key": uuid4(),
        "now": NOON,
    }
    return submit_ranking(assignment=assignment, labeler=labeler, **{**details, **changes})


class TestSubmitRanking:
    def test_stores_an_ordered_partition_with_ties_and_unacceptable(self, claimed, ada, kitchen):
        a, b, c, d = ids(claimed)

        ranking, is_new = submit(claimed, ada, tiers=[[b], [a, c]], unacceptable=[d])

        assert is_new
        assert ranking.tiers == [[b], [a, c]]
        assert ranking.unacceptable == [d]
        assert ranking.shown_order == claimed.shown_order
        assert ranking.guideline == kitchen.guidelines.get()
        assert ranking.seconds_spent == 12.5
        assert claimed.status == Assignment.Status.SUBMITTED

    def test_takes_all_unacceptable_as_an_answer(self, claimed, ada):
        ranking, _ = submit(claimed, ada, tiers=[], unacceptable=ids(claimed))

        assert ranking.tiers == []

    def test_takes_cannot_judge_with_its_reason(self, claimed, ada):
        ranking, _ = submit(claimed, ada, tiers=[], cannot_judge="I do not speak Greek.")

        assert ranking.cannot_judge == "I do not speak Greek."

    @pytest.mark.parametrize(
        ("wrong", "refusal"),
        [
            (lambda a, b, c, d: {"tiers": [[a], [b], [c]]}, IncompleteRanking),
            (lambda a, b, c, d: {"tiers": []}, IncompleteRanking),
            (lambda a, b, c, d: {"tiers": [[a], [b], [c], [d, a]]}, DuplicateCompletion),
            (lambda a, b, c, d: {"tiers": [[a], [b], [c], [d]], "unacceptable": [d]}, DuplicateCompletion),
            (lambda a, b, c, d: {"tiers": [[a], [b], [c], [d + 99]]}, UnknownCompletion),
            (lambda a, b, c, d: {"tiers": [[a], [b], [c], [d]], "cannot_judge": "?"}, IncompleteRanking),
        ],
    )
    def test_refuses_what_is_no_partition_and_keeps_the_lease(self, claimed, ada, wrong, refusal):
        with pytest.raises(refusal):
            submit(claimed, ada, **wrong(*ids(claimed)))

        assert Ranking.objects.count() == 0
        assert Assignment.objects.get().status == Assignment.Status.CLAIMED

    def test_refuses_an_assignment_of_somebody_else(self, claimed, ben):
        with pytest.raises(LeaseLost):
            submit(claimed, ben)

    def test_still_takes_a_late_one_that_went_to_nobody(self, claimed, ada):
        ranking, _ = submit(claimed, ada, now=NOON + timedelta(hours=9))

        assert ranking.pk

    def test_stores_the_same_key_once(self, claimed, ada):
        key = uuid4()

        first, _ = submit(claimed, ada, idempotency_key=key)
        again, is_new = submit(claimed, ada, idempotency_key=key)

        assert (again, is_new) == (first, False)
        assert Ranking.objects.count() == 1

    def test_refuses_the_same_key_with_another_order(self, claimed, ada):
        key = uuid4()
        submit(claimed, ada, idempotency_key=key)

        with pytest.raises(IdempotencyConflict):
            submit(claimed, ada, idempotency_key=key, tiers=[[pk] for pk in reversed(ids(claimed))])

    def test_refuses_a_second_submission_with_another_key(self, claimed, ada):
        submit(claimed, ada)

        with pytest.raises(AlreadySubmitted):
            submit(claimed, ada)


@given(order=permutations(range(4)), cut=integers(0, 4))
def test_only_partitions_of_the_candidates_pass(order, cut):
    tiers, unacceptable = [[pk] for pk in order[:cut]], list(order[cut:])

    def check(tiers):
        judged = judgement_of(tiers=tiers, unacceptable=unacceptable, cannot_judge="")
        check_partition(judged, {0, 1, 2, 3})

    check(tiers)
    for broken in ([*tiers, [order[0]]], [*tiers, [9]]):
        with pytest.raises(BadInput):
            check(broken)


class TestALateSubmission:
    LATE = NOON + timedelta(hours=9)

    @pytest.fixture
    def lapsed(self, claimed):
        """Ada was shown it, and her time ran out."""
        tiers = [[pk] for pk in ids(claimed)]
        return_overdue_assignments(now=self.LATE)
        claimed.refresh_from_db()
        return claimed, tiers

    def test_takes_its_slot_back_where_nobody_else_has_it(self, lapsed, ada):
        slot, tiers = lapsed

        ranking, is_new = submit(slot, ada, tiers=tiers, now=self.LATE)

        assert is_new
        assert ranking.assignment == slot
        assert slot.status == Assignment.Status.SUBMITTED
        assert ranking.shown_order == LapsedLease.objects.get().shown_order
        assert [ranking] == list(Ranking.objects.counted())

    def test_is_kept_as_surplus_where_somebody_else_has_it(self, kitchen, lapsed, ada, ben, claim):
        slot, tiers = lapsed
        claim(kitchen, ben, now=self.LATE)

        ranking, is_new = submit(slot, ada, tiers=tiers, now=self.LATE)

        assert is_new
        assert ranking.assignment.purpose == Assignment.Purpose.SURPLUS
        assert ranking.shown_order == LapsedLease.objects.get().shown_order
        assert list(Ranking.objects.counted()) == []
        assert Assignment.objects.get(pk=slot.pk).labeler == ben

    def test_is_stored_once_for_one_key(self, kitchen, lapsed, ada, ben, claim):
        slot, tiers = lapsed
        claim(kitchen, ben, now=self.LATE)
        key = uuid4()

        first, _ = submit(slot, ada, tiers=tiers, idempotency_key=key)
        again, is_new = submit(slot, ada, tiers=tiers, idempotency_key=key)

        assert (again, is_new) == (first, False)
        with pytest.raises(AlreadySubmitted):
            submit(slot, ada, tiers=tiers)

    def test_counts_for_another_slot_that_they_have_by_now(self, soup_set, lapsed, ada, ben, kitchen, claim):
        slot, tiers = lapsed
        claim(kitchen, ben, now=self.LATE)
        open_slots(soup_set, [2])
        second = claim(kitchen, ada, now=self.LATE)

        ranking, _ = submit(slot, ada, tiers=tiers, now=self.LATE)

        assert ranking.assignment == second
        assert list(Ranking.objects.counted()) == [ranking]

    def test_is_refused_from_who_never_had_it(self, lapsed, ben):
        slot, tiers = lapsed

        with pytest.raises(LeaseLost):
            submit(slot, ben, tiers=tiers, now=self.LATE)

    def test_is_refused_from_who_gave_it_back(self, claimed, ada):
        tiers = [[pk] for pk in ids(claimed)]
        skip_assignment(assignment=claimed, labeler=ada, reason="tired", now=NOON)

        with pytest.raises(LeaseLost):
            submit(claimed, ada, tiers=tiers)


def marked(pk, start, end, flag="opinion"):
    return {pk: [{"start": start, "end": end, "flag": flag}]}


class TestMoreThanAnOrder:
    @pytest.fixture(autouse=True)
    def axes(self, kitchen):
        kitchen.rating_axes = ["helpful", "true"]
        kitchen.save()

    def test_is_stored_beside_it(self, claimed, ada):
        a, b, *_ = ids(claimed)

        ranking, _ = submit(
            claimed,
            ada,
            strength=2,
            ratings={str(a): {"helpful": 5}, str(b): {"helpful": 1, "true": 3}},
            flags={str(b): ["opinion", "hallucination"]},
            spans={b: [{"start": 2, "end": 4, "flag": "opinion"}, {"start": 0, "end": 4, "flag": "opinion"}]},
            rationale=" The first one answers. ",
            edited={"id": a, "text": "Boil it longer."},
        )

        ranking.refresh_from_db()
        assert ranking.strength == 2
        assert ranking.ratings == {str(a): {"helpful": 5}, str(b): {"helpful": 1, "true": 3}}
        assert ranking.flags == {str(b): ["hallucination", "opinion"]}
        assert ranking.spans == {
            str(b): [{"start": 0, "end": 4, "flag": "opinion"}, {"start": 2, "end": 4, "flag": "opinion"}]
        }
        assert ranking.rationale == "The first one answers."
        assert ranking.edited == {"id": a, "text": "Boil it longer."}

    @pytest.mark.parametrize(
        ("wrong", "refusal"),
        [
            (lambda a: {"strength": 4}, BadStrength),
            (lambda a: {"strength": 0}, BadStrength),
            (lambda a: {"ratings": {str(a): {"helpful": 8}}}, BadRating),
            (lambda a: {"ratings": {str(a): {"funny": 3}}}, BadRating),
            (lambda a: {"ratings": {"999999": {"helpful": 3}}}, UnknownCompletion),
            (lambda a: {"flags": {str(a): ["boring"]}}, UnknownFlag),
            (lambda a: {"flags": {"soup": ["opinion"]}}, UnknownCompletion),
            (lambda a: {"spans": marked(a, 0, 10_000)}, BadPassage),
            (lambda a: {"spans": marked(a, 3, 3)}, BadPassage),
            (lambda a: {"spans": marked(a, -1, 3)}, BadPassage),
            (lambda a: {"spans": {a: marked(a, 0, 3)[a] * 2}}, BadPassage),
            (lambda a: {"spans": marked(a, 0, 3, "boring")}, UnknownFlag),
            (lambda a: {"spans": marked(999_999, 0, 3)}, UnknownCompletion),
            (lambda a: {"edited": {"id": 999_999, "text": "Better."}}, UnknownCompletion),
            (lambda a: {"edited": {"id": a, "text": " "}}, BadEdit),
            (lambda a: {"edited": {"id": a, "text": "nul \x00"}}, UnusableText),
            (lambda a: {"rationale": "half \ud83c"}, UnusableText),
        ],
    )
    def test_is_refused_where_it_makes_no_sense(self, claimed, ada, wrong, refusal):
        with pytest.raises(refusal):
            submit(claimed, ada, **wrong(ids(claimed)[0]))

        assert Ranking.objects.count() == 0

    def test_reaches_to_the_last_character_of_a_text_and_not_beyond(self, kitchen, ada, claim):
        prompt, _ = add_prompt(campaign=kitchen, messages=[{"role": "user", "content": "Emoji?"}])
        add_candidate_set(prompt=prompt, texts=["盐🧂é", "Salt"])
        claimed = claim(kitchen, ada)
        salt = claimed.candidate_set.completions.get(text="盐🧂é")

        with pytest.raises(BadPassage):
            submit(claimed, ada, spans=marked(salt.pk, 1, 4))
        ranking, _ = submit(claimed, ada, spans=marked(salt.pk, 1, 3))

        assert ranking.spans == {str(salt.pk): [{"start": 1, "end": 3, "flag": "opinion"}]}

    def test_improves_no_other_than_the_best(self, claimed, ada):
        *_, worst = ids(claimed)

        with pytest.raises(BadEdit):
            submit(claimed, ada, edited={"id": worst, "text": "Better."})

    def test_needs_no_question_that_was_asked(self, claimed, ada, kitchen):
        """The campaign may have asked when the page was opened; what was said then is not lost."""
        a, *_ = ids(claimed)

        ranking, _ = submit(claimed, ada, strength=1, flags={a: ["opinion"]}, spans=marked(a, 0, 2))

        assert not kitchen.asks_flags
        assert (ranking.strength, list(ranking.flags), list(ranking.spans)) == (1, [str(a)], [str(a)])

    def test_has_the_reason_that_a_campaign_requires(self, claimed, ada):
        claimed.campaign.rationale = Campaign.Rationale.REQUIRED

        for reason in ("", "  \n"):
            with pytest.raises(RationaleMissing):
                submit(claimed, ada, rationale=reason)
        ranking, _ = submit(claimed, ada, tiers=[], cannot_judge="facts")

        assert ranking.rationale == ""

    def test_says_no_strength_where_nothing_is_better(self, claimed, ada):
        with pytest.raises(BadStrength):
            submit(claimed, ada, tiers=[ids(claimed)], strength=1)


class TestCorrectRanking:
    @pytest.fixture
    def first(self, claimed, ada):
        ranking, _ = submit(claimed, ada)
        return ranking

    def correct(self, first, labeler, **changes):
        details = {
            "tiers": list(reversed(first.tiers)),
            "unacceptable": [],
            "cannot_judge": "",
            "seconds_spent": 3,
            "idempotency_key": uuid4(),
            "now": NOON + timedelta(hours=1),
        }
        return correct_ranking(assignment=first.assignment, labeler=labeler, **{**details, **changes})

    def test_supersedes_and_keeps_what_it_corrects(self, first, ada):
        second, is_new = self.correct(first, ada)

        assert (is_new, second.revision) == (True, 2)
        assert list(Ranking.objects.current()) == [second]
        assert Ranking.objects.get(revision=1) == first

    def test_stores_the_same_key_once(self, first, ada):
        key = uuid4()

        second, _ = self.correct(first, ada, idempotency_key=key)
        again, is_new = self.correct(first, ada, idempotency_key=key)

        assert (again, is_new) == (second, False)
        with pytest.raises(IdempotencyConflict):
            self.correct(first, ada, idempotency_key=key, tiers=first.tiers)

    def test_checks_it_like_a_first_one(self, first, ada):
        with pytest.raises(IncompleteRanking):
            self.correct(first, ada, tiers=first.tiers[1:])

    def test_is_for_who_made_it(self, first, ben):
        with pytest.raises(LeaseLost):
            self.correct(first, ben)

    def test_is_refused_before_there_is_one(self, claimed, ada):
        with pytest.raises(LeaseLost):
            correct_ranking(
                assignment=claimed,
                labeler=ada,
                tiers=[[pk] for pk in ids(claimed)],
                unacceptable=[],
                cannot_judge="",
                seconds_spent=3,
                idempotency_key=uuid4(),
                now=NOON,
            )

    def test_is_refused_while_the_campaign_is_paused(self, first, ada, kitchen):
        kitchen.status = Campaign.Status.PAUSED
        kitchen.save()
        first.assignment.campaign.refresh_from_db()

        with pytest.raises(CampaignPaused):
            self.correct(first, ada)

    @pytest.mark.parametrize(
        ("minutes", "after", "is_open"), [(30, 29, True), (30, 30, False), (0, 0, False)]
    )
    def test_is_taken_within_the_campaigns_window(self, first, ada, kitchen, minutes, after, is_open):
        kitchen.correction_minutes = minutes
        kitchen.save()
        first.assignment.campaign.refresh_from_db()
        now = NOON + timedelta(minutes=after)

        if is_open:
            assert self.correct(first, ada, now=now)[0].revision == 2
            return
        with pytest.raises(CorrectionWindowClosed):
            self.correct(first, ada, now=now)
        assert Ranking.objects.get() == first

    def test_does_not_open_the_window_again(self, first, ada):
        day = timedelta(days=1)
        self.correct(first, ada, now=NOON + day / 2)

        with pytest.raises(CorrectionWindowClosed):
            self.correct(first, ada, now=NOON + day)

    def test_that_was_stored_is_told_again_after_the_window(self, first, ada):
        key = uuid4()
        second, _ = self.correct(first, ada, idempotency_key=key)

        again = self.correct(first, ada, idempotency_key=key, now=NOON + timedelta(days=9))

        assert again == (second, False)

    def test_shows_the_latest_of_ones_own_first(self, first, ada, ben, kitchen, soup, claim):
        add_candidate_set(prompt=soup, texts=["Yes.", "No."])
        other, _ = submit(claim(kitchen, ada), ada, now=NOON + timedelta(minutes=1))
        second, _ = self.correct(first, ada)

        assert list(own_rankings(labeler=ada, campaign=kitchen, count=9)) == [second, other]
        assert list(own_rankings(labeler=ada, campaign=kitchen, count=1)) == [second]
        assert list(own_rankings(labeler=ben, campaign=kitchen, count=9)) == []
