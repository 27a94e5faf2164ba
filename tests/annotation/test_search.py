"""Who is offered what, and what it costs to find it."""

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.actions.assignments import claim_assignments
from annotation.actions.candidates import add_candidate_set
from annotation.actions.prompts import add_prompt
from annotation.actions.search import BOOKMARK_KEPT, FIRST_PAGE, LOOKED_AGAIN, Search
from annotation.actions.waiting import MOST_COUNTED, waiting_for
from annotation.models import Assignment, Bookmark, CandidateSet, Person, Prompt, Skip
from tests.conftest import NOON

MANY = 4 * FIRST_PAGE
"""Enough that nobody would look at each of them."""


@pytest.fixture
def rita(db):
    return Person.objects.create_user("rita", role=Person.Role.REVIEWER)


def offered(campaign, labeler, now=NOON, purpose="overlap"):
    search = Search(campaign=campaign, labeler=labeler, purpose=purpose)
    return [slot.candidate_set for page in search.claimable(now) for slot in page]


def ask(campaign, question, **changes):
    messages = [{"role": "user", "content": question}]
    prompt, _ = add_prompt(campaign=campaign, messages=messages)
    Prompt.objects.filter(pk=prompt.pk).update(**changes)
    prompt.refresh_from_db()
    return add_candidate_set(prompt=prompt, texts=["Yes.", "No."]).pk


def many_sets(prompt, count, **changes):
    sets = CandidateSet.objects.bulk_create(CandidateSet(prompt=prompt, digest="") for _ in range(count))
    slots = [
        Assignment(candidate_set=each, campaign=prompt.campaign, **{"slot": 1, **changes}) for each in sets
    ]
    Assignment.objects.bulk_create(slots)
    return sets


class TestALabeler:
    def test_is_never_offered_what_they_wrote_or_what_is_held(self, kitchen, ada, ben):
        ours = ask(kitchen, "Soup?", author=ada)
        theirs = ask(kitchen, "Rice?")
        ask(kitchen, "Tea?", status=Prompt.Status.HELD)
        ask(kitchen, "Bread?", status=Prompt.Status.REJECTED)
        CandidateSet.objects.get(pk=theirs).authors.add(ben)

        assert offered(kitchen, ada) == [theirs]
        assert offered(kitchen, ben) == [ours]

    def test_is_offered_their_languages_and_what_has_none(self, kitchen, ada, ben):
        sets = {
            language: ask(kitchen, f"Soup, {language}?", language=language) for language in ("en", "el", "")
        }
        ada.languages = ["el"]

        assert offered(kitchen, ada) == [sets["el"], sets[""]]
        assert offered(kitchen, ben) == [sets["en"], sets["el"], sets[""]]

    def test_is_offered_what_asks_for_a_skill_only_if_they_have_it(self, kitchen, ada, ben):
        plain, medical, legal = (ask(kitchen, f"{skill}?", skill=skill) for skill in ("", "medicine", "law"))
        ada.skills = ["medicine"]

        assert offered(kitchen, ada) == [plain, medical]
        assert offered(kitchen, ben) == [plain]

    def test_is_offered_one_order_over_all_their_lanes(self, kitchen, ada):
        languages = ["en", "el", "", "en", "de", "el"]
        sets = [ask(kitchen, f"Question {n}?", language=tongue) for n, tongue in enumerate(languages)]
        Assignment.objects.filter(candidate_set=sets[3]).update(priority=2)
        Assignment.objects.filter(candidate_set=sets[1]).update(priority=-1)
        ada.languages = ["en", "el"]

        assert offered(kitchen, ada) == [sets[3], sets[0], sets[2], sets[5], sets[1]]

    def test_is_not_offered_known_answers_or_what_is_for_reviewers(self, kitchen, soup, ada, rita, soup_set):
        many_sets(soup, 1, purpose="gold", slot=None)
        (disputed,) = many_sets(soup, 1, purpose="adjudication", slot=None)

        assert offered(kitchen, ada) == [soup_set.pk]
        assert offered(kitchen, rita, purpose="adjudication") == [disputed.pk]


class TestAdjudication:
    @pytest.fixture
    def disputed(self, kitchen, soup_set):
        return Assignment.objects.create(candidate_set=soup_set, campaign=kitchen, purpose="adjudication")

    def claim(self, campaign, person):
        return claim_assignments(
            campaign=campaign,
            labeler=person,
            count=1,
            holding=[],
            now=NOON,
            rng=random.Random(0),
            purpose="adjudication",
        )

    def test_goes_to_reviewers_only(self, kitchen, disputed, ada, rita):
        assert self.claim(kitchen, ada) == []
        assert self.claim(kitchen, rita) == [disputed]

    def test_never_goes_to_who_ranked_the_same(self, kitchen, disputed, rita, claim):
        claim(kitchen, rita)

        assert self.claim(kitchen, rita) == []


class TestTheCostOfTheNext:
    @pytest.fixture
    def ranked_much(self, kitchen, soup, ada):
        """Ada ranked hundreds that still wait for somebody else."""
        sets = many_sets(soup, MANY)
        Assignment.objects.bulk_create(
            Assignment(candidate_set=each, campaign=kitchen, slot=2, status="SUBMITTED", labeler=ada)
            for each in sets
        )
        return sets

    def rows_read(self, campaign, labeler, now=NOON):
        """Slots that a search for one looks at."""
        search = Search(campaign=campaign, labeler=labeler, purpose="overlap")
        looked_at = []
        search_page = Search._without_theirs

        def counting(self, page):
            looked_at.extend(page)
            return search_page(self, page)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Search, "_without_theirs", counting)
            found = next(search.claimable(now), None)
        return found[0].candidate_set if found else None, len(looked_at)

    def test_is_paid_once_for_what_was_passed_over(self, kitchen, soup, ada, ranked_much):
        (fresh,) = many_sets(soup, 1)

        first, cost = self.rows_read(kitchen, ada)
        again, cost_again = self.rows_read(kitchen, ada)

        assert first == again == fresh.pk
        assert cost > MANY
        assert cost_again <= 2 * FIRST_PAGE

    def test_is_small_for_everybody_else(self, kitchen, ben, ranked_much):
        assert self.rows_read(kitchen, ben) == (ranked_much[0].pk, FIRST_PAGE)
        assert not Bookmark.objects.exists()

    def test_takes_as_many_queries_for_many_as_for_few(self, kitchen, soup, ada, claim):
        many_sets(soup, 8)
        with CaptureQueriesContext(connection) as few:
            claim(kitchen, ada)
        many_sets(soup, 8 * MANY)
        ben = Person.objects.create_user("ben")
        with CaptureQueriesContext(connection) as many:
            claim(kitchen, ben)

        assert len(many) == len(few)

    def test_does_not_hide_what_is_returned_or_put_first_meanwhile(self, kitchen, soup, ada, ranked_much):
        many_sets(soup, 1)
        self.rows_read(kitchen, ada)
        urgent = many_sets(soup, 1, priority=9)[0]

        assert self.rows_read(kitchen, ada)[0] == urgent.pk

    def test_does_not_hide_what_opens_before_the_bookmark_for_long(self, kitchen, ada, ranked_much, soup):
        many_sets(soup, 2)
        fresh = self.rows_read(kitchen, ada)[0]
        returned = ranked_much[MANY // 2]
        Assignment.objects.filter(candidate_set=returned, labeler=ada).delete()

        assert self.rows_read(kitchen, ada)[0] == fresh
        assert self.rows_read(kitchen, ada, NOON + BOOKMARK_KEPT)[0] == returned.pk

    def test_does_not_hide_anything_where_nothing_else_is_left(self, kitchen, ada, ranked_much):
        assert self.rows_read(kitchen, ada)[0] is None
        returned = ranked_much[MANY // 2]
        Assignment.objects.filter(candidate_set=returned, labeler=ada).delete()

        soon, cost = self.rows_read(kitchen, ada)
        later, _cost = self.rows_read(kitchen, ada, NOON + LOOKED_AGAIN)

        assert (soon, later) == (None, returned.pk)
        assert cost <= 2 * FIRST_PAGE

    @pytest.mark.parametrize("languages", [[], ["en", "el"]])
    def test_is_a_walk_along_an_index(self, kitchen, soup, ada, languages):
        many_sets(soup, 8 * MANY, language="en")
        ada.languages = languages
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE annotation_assignment")

        with CaptureQueriesContext(connection) as asked:
            next(Search(campaign=kitchen, labeler=ada, purpose="overlap").claimable(NOON))

        plans = [plan_of(query["sql"]) for query in asked if "'OPEN'" in query["sql"]]
        assert plans
        for plan in plans:
            assert "assignment_next_open" in plan
            assert "sort" not in plan.lower().replace("b-tree for order by", "sort")


def plan_of(sql):
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


class TestWaiting:
    def test_counts_no_further_than_anybody_needs(self, kitchen, soup, ada):
        many_sets(soup, MOST_COUNTED + 500)

        assert waiting_for(ada, kitchen, now=NOON).rankings_waiting == MOST_COUNTED

    def test_counts_a_candidate_set_once(self, kitchen, soup, ada):
        sets = many_sets(soup, 3)
        Assignment.objects.bulk_create(
            Assignment(candidate_set=each, campaign=kitchen, slot=2) for each in sets
        )

        assert waiting_for(ada, kitchen, now=NOON).rankings_waiting == 3

    def test_leaves_out_what_was_skipped(self, kitchen, soup_set, ada):
        Skip.objects.create(candidate_set=soup_set, labeler=ada, reason="tired", skipped_at=NOON)

        assert waiting_for(ada, kitchen, now=NOON).rankings_waiting == 0

    def test_counts_no_demonstrations_where_none_are_asked_for(self, kitchen, soup, ada):
        kitchen.demonstrations_per_prompt = 0

        assert waiting_for(ada, kitchen, now=NOON + timedelta(days=1)).demonstrations_waiting == 0
