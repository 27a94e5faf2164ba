"""Practice before the first real ranking: what is handed out, what passes, and what it never touches."""

import random
from datetime import timedelta

import pytest

from annotation.actions.assignments import claim_assignments, return_overdue_assignments
from annotation.actions.candidates import add_candidate_set
from annotation.actions.consents import publish_consent_text
from annotation.actions.demonstrations import claim_demonstration
from annotation.actions.gold import mark_gold
from annotation.actions.practice import (
    attempt_practice,
    mark_practice,
    next_practice,
    practice_left,
    practice_progress,
)
from annotation.actions.prompts import add_prompt, release_prompt
from annotation.actions.quality_reports import make_report
from annotation.actions.sample import load_sample_campaign
from annotation.actions.waiting import waiting_for
from annotation.errors import (
    CandidatesInUse,
    ConsentNeeded,
    DuplicateCompletion,
    IncompleteRanking,
    NoComparison,
    PracticeNeeded,
    ReasonMissing,
    UnknownCompletion,
)
from annotation.models import Assignment, Consensus, Gold, Person, PracticeAttempt, PracticeItem, Prompt
from tests.annotation.test_gold import candidates
from tests.annotation.test_imports import run_import
from tests.annotation.test_submit_ranking import submit
from tests.conftest import NOON


def mark(candidate_set, **changes):
    details = {
        "tiers": [[pk] for pk in candidates(candidate_set)],
        "explanation": "The first **helps**.",
        "now": NOON,
    }
    return mark_practice(candidate_set=candidate_set, **{**details, **changes})


def attempt(item, labeler, tiers=None, **changes):
    return attempt_practice(item=item, labeler=labeler, tiers=tiers or item.tiers, now=NOON, **changes)


def fail(item, labeler):
    return attempt(item, labeler, tiers=item.tiers[::-1])


def offered(campaign, labeler, after=None):
    shown = next_practice(campaign=campaign, labeler=labeler, after=after)
    return shown and shown.item


class TestMarking:
    def test_keeps_the_answer_and_takes_the_set_out_of_work(self, kitchen, soup_set, ada, claim):
        best, good, *rest = candidates(soup_set)

        item = mark(soup_set, tiers=[[best, good]], unacceptable=rest, place=4)

        assert (item.tiers, item.unacceptable, item.place) == ([[best, good]], rest, 4)
        assert (item.campaign, item.explanation) == (kitchen, "The first **helps**.")
        assert not soup_set.assignments.exists()
        assert claim(kitchen, ada) is None

    def test_replaces_an_earlier_answer_and_keeps_the_attempts(self, soup_set, ada):
        item = mark(soup_set)
        attempt(item, ada)

        again = mark(soup_set, tiers=item.tiers[::-1])

        assert (again.pk, again.tiers) == (item.pk, item.tiers[::-1])
        assert PracticeAttempt.objects.get().item == item

    def test_refuses_what_teaches_nothing(self, soup_set):
        with pytest.raises(IncompleteRanking):
            mark(soup_set, tiers=[[1]])
        with pytest.raises(NoComparison):
            mark(soup_set, tiers=[candidates(soup_set)])
        with pytest.raises(ReasonMissing):
            mark(soup_set, explanation=" \n")

        assert soup_set.assignments.exists()

    def test_refuses_what_somebody_holds_ranked_or_let_lapse(self, kitchen, soup_set, claimed, ada):
        with pytest.raises(CandidatesInUse):
            mark(soup_set)
        return_overdue_assignments(now=NOON + timedelta(hours=1))
        with pytest.raises(CandidatesInUse):
            mark(soup_set)
        submit(claimed, ada)
        with pytest.raises(CandidatesInUse):
            mark(soup_set)

        assert not PracticeItem.objects.exists()

    def test_and_gold_exclude_each_other(self, soup, soup_set):
        other = add_candidate_set(prompt=soup, texts=["Steam it.", "Grill it."])
        mark(soup_set)
        mark_gold(candidate_set=other, tiers=[[pk] for pk in candidates(other)], marked_by=None, now=NOON)

        with pytest.raises(CandidatesInUse):
            mark(other)
        with pytest.raises(CandidatesInUse):
            mark_gold(
                candidate_set=soup_set,
                tiers=[[pk] for pk in candidates(soup_set)],
                marked_by=None,
                now=NOON,
            )

        assert Gold.objects.get().candidate_set == other

    def test_outlives_the_release_of_its_prompt(self, kitchen, soup):
        held, _ = add_prompt(campaign=kitchen, messages=[{"role": "user", "content": "Rice?"}])
        Prompt.objects.filter(pk=held.pk).update(status=Prompt.Status.HELD)
        held.refresh_from_db()
        item = mark(add_candidate_set(prompt=held, texts=["Steam it.", "Grill it."]))

        release_prompt(held)

        assert not item.candidate_set.assignments.exists()


class TestHandingOut:
    def test_goes_by_place_and_comes_back_to_what_was_failed(self, strict, items, ada):
        first, second, third = items

        assert offered(strict, ada) == first
        fail(first, ada)
        assert offered(strict, ada) == second
        attempt(second, ada)
        assert offered(strict, ada) == third
        attempt(third, ada)
        assert offered(strict, ada) == first
        attempt(first, ada)
        assert offered(strict, ada) is None

    def test_shows_what_was_just_left_after_all_others(self, strict, items, ada):
        first, second, third = items

        assert offered(strict, ada, after=first.pk) == second
        attempt(second, ada)
        attempt(third, ada)
        assert offered(strict, ada, after=first.pk) == first

    def test_shows_candidates_in_an_order_that_a_reload_keeps(self, strict, soup_set, ada, ben):
        item = mark(soup_set)
        orders = {
            tuple(next_practice(campaign=strict, labeler=who).shown_order)
            for who in [*Person.objects.bulk_create(Person(username=f"new-{n}") for n in range(9)), ben]
        }

        assert len(orders) > 1
        shown = next_practice(campaign=strict, labeler=ada)
        assert shown == next_practice(campaign=strict, labeler=ada)
        assert sorted(shown.shown_order) == candidates(item.candidate_set)

    def test_leaves_out_what_is_off_held_or_not_in_their_language(self, strict, items, ada):
        first, second, third = items
        PracticeItem.objects.filter(pk=first.pk).update(is_active=False)
        second.candidate_set.authors.add(ada)
        assert offered(strict, ada) == third

        Prompt.objects.update(language="fr")
        ada.languages = ["en"]
        assert offered(strict, ada) is None
        assert practice_left(strict, ada) == 0

    def test_asks_for_consent_like_any_work(self, strict, items, ada):
        publish_consent_text(campaign=strict, text="We keep it.", now=NOON)

        with pytest.raises(ConsentNeeded):
            next_practice(campaign=strict, labeler=ada)
        with pytest.raises(ConsentNeeded):
            attempt(items[0], ada)


class TestAttempts:
    def test_are_kept_one_after_the_other(self, items, ada):
        fail(items[0], ada)
        attempt(items[0], ada)

        kept = PracticeAttempt.objects.order_by("pk").values_list("tiers", "is_passed")
        assert list(kept) == [(items[0].tiers[::-1], False), (items[0].tiers, True)]

    def test_that_cannot_judge_do_not_pass(self, items, ada):
        tried = attempt_practice(item=items[0], labeler=ada, tiers=[], cannot_judge="facts", now=NOON)

        assert not tried.is_passed

    def test_name_every_candidate_once(self, items, ada):
        [best], [worst] = items[0].tiers
        for error, tiers in [
            (IncompleteRanking, [[best]]),
            (DuplicateCompletion, [[best], [best]]),
            (UnknownCompletion, [[best], [worst], [0]]),
        ]:
            with pytest.raises(error):
                attempt(items[0], ada, tiers=tiers)

        assert not PracticeAttempt.objects.exists()

    def test_in_two_tabs_count_once_and_a_pass_stays(self, strict, items, ada):
        attempt(items[0], ada)
        attempt(items[0], ada)
        fail(items[0], ada)

        progress = practice_progress(strict, ada)
        assert (progress.passed, progress.left) == (1, 1)


class TestBeforePassing:
    @pytest.fixture(autouse=True)
    def work(self, soup_set):
        return soup_set

    def test_no_ranking_is_handed_out(self, strict, items, ada, claim):
        with pytest.raises(PracticeNeeded):
            claim(strict, ada)
        assert waiting_for(ada, strict, now=NOON).practice_left == 2

        for item in items[:2]:
            attempt(item, ada)

        assert claim(strict, ada).purpose == Assignment.Purpose.OVERLAP
        assert waiting_for(ada, strict, now=NOON).practice_left == 0

    def test_held_work_can_be_finished(self, kitchen, work, soup, ada, claim):
        held = claim(kitchen, ada)
        mark(add_candidate_set(prompt=soup, texts=["Salt it.", "Burn it."]))
        kitchen.practice_to_pass = 1
        kitchen.save()

        # After a reload it is still there, and it may be handed in.
        assert claim(kitchen, ada) == held
        ranking, is_new = submit(held, ada)
        assert is_new
        with pytest.raises(PracticeNeeded):
            claim(kitchen, ada)

    def test_demonstrations_and_other_peoples_work_go_on(self, strict, items, ada, ben, rosa, claim):
        for item in items:
            attempt(item, ben)

        assert claim_demonstration(campaign=strict, labeler=ada)
        assert claim(strict, ben)
        adjudications = claim_assignments(
            campaign=strict,
            labeler=rosa,
            count=1,
            holding=[],
            now=NOON,
            rng=random.Random(0),
            purpose=Assignment.Purpose.ADJUDICATION,
        )
        assert adjudications == []

    def test_nobody_is_asked_for_more_than_there_is(self, strict, items, ada, claim):
        PracticeItem.objects.update(is_active=False)
        assert claim(strict, ada)

        strict.practice_to_pass = 9
        PracticeItem.objects.update(is_active=True)
        attempt(items[0], ada)
        assert practice_left(strict, ada) == 2

    def test_a_program_is_not_asked(self, strict, items, ada, claim):
        ada.is_simulated = True

        assert claim(strict, ada)

    def test_a_passed_item_that_was_deactivated_still_counts(self, strict, items, ada):
        attempt(items[0], ada)
        PracticeItem.objects.filter(pk=items[0].pk).update(is_active=False)

        assert practice_left(strict, ada) == 1

    @pytest.mark.parametrize(("to_pass", "queries"), [(2, 1), (0, 0)])
    def test_costs_one_query_and_none_where_nothing_is_asked(
        self, strict, items, ada, to_pass, queries, django_assert_num_queries
    ):
        strict.practice_to_pass = to_pass

        with django_assert_num_queries(queries):
            practice_left(strict, ada)


class TestTheSample:
    def test_has_two_items_and_asks_for_none(self, ada, claim):
        campaign = load_sample_campaign(now=NOON)

        items = list(campaign.practice.order_by("place"))
        assert [attempt(item, ada, unacceptable=item.unacceptable).is_passed for item in items] == [True] * 2
        assert not Assignment.objects.filter(candidate_set__practice__isnull=False).exists()
        assert claim(campaign, ada)


class TestNothingElse:
    def test_counts_practice(self, strict, items, ada):
        for item in items:
            attempt(item, ada)
            fail(item, ada)

        waiting = waiting_for(ada, strict, now=NOON)
        report = make_report(campaign=strict, now=NOON)

        assert (waiting.rankings_waiting, waiting.ranked_today) == (0, 0)
        assert report.rankings == 0
        assert not Consensus.objects.exists()
        assert not Assignment.objects.exists()

    def test_lands_in_a_practice_set_with_an_import(self, kitchen, soup, soup_set):
        item = mark(soup_set)
        texts = dict(soup_set.completions.values_list("pk", "text"))
        row = {
            "messages": soup.messages,
            "completions": [texts[pk] for [pk] in item.tiers],
            "tiers": [[0], [1], [2], [3]],
        }

        report = run_import(kitchen, "prompts", [row])

        assert report.unchanged["rankings"] == 1
        assert not Assignment.objects.exists()
