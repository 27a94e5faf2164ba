"""A ranking under way is kept for its labeler, on every device, until it is handed in."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from hypothesis import given
from hypothesis.strategies import (
    characters,
    dictionaries,
    floats,
    integers,
    lists,
    none,
    recursive,
    sampled_from,
    text,
)

from annotation.actions.assignments import return_overdue_assignments, skip_assignment
from annotation.actions.ranking_drafts import check_content, save_ranking_draft
from annotation.errors import AlreadySubmitted, BadDraft, LeaseLost, StaleRevision, UnusableText
from annotation.models import Assignment, RankingDraft
from tests.annotation.test_submit_ranking import submit
from tests.conftest import NOON

HALF = {"ballot": {"tiers": [[3]], "unacceptable": []}, "seconds": 4.5}
WHOLE = {"ballot": {"tiers": [[3], [4]], "unacceptable": []}, "seconds": 9}


def save(assignment, labeler, content=HALF, revision=0, now=NOON):
    return save_ranking_draft(
        assignment=assignment, labeler=labeler, content=content, revision=revision, now=now
    )


class TestARankingDraft:
    def test_is_replaced_by_the_next_one(self, claimed, ada):
        first = save(claimed, ada)
        second = save(claimed, ada, WHOLE, revision=1, now=NOON + timedelta(minutes=1))

        assert (first.revision, second.revision) == (1, 2)
        assert (second.content, second.saved_at) == (WHOLE, NOON + timedelta(minutes=1))
        assert RankingDraft.objects.count() == 1

    @pytest.mark.parametrize("revision", [0, 2, 9])
    def test_is_not_written_over_by_who_has_not_seen_it(self, claimed, ada, revision):
        save(claimed, ada)

        with pytest.raises(StaleRevision):
            save(claimed, ada, WHOLE, revision=revision)

        assert RankingDraft.objects.get().content == HALF

    def test_is_for_who_holds_the_assignment(self, claimed, ben):
        with pytest.raises(LeaseLost):
            save(claimed, ben)

    def test_goes_on_when_the_time_ran_out(self, claimed, ada, ben, kitchen, claim):
        return_overdue_assignments(now=NOON + timedelta(hours=2))
        assert claim(kitchen, ben, now=NOON + timedelta(hours=2)) == claimed

        draft = save(Assignment.objects.get(), ada)

        assert (draft.labeler, draft.content) == (ada, HALF)
        assert save(Assignment.objects.get(), ben).labeler == ben

    def test_goes_when_the_ranking_is_stored_and_does_not_come_back(self, claimed, ada):
        save(claimed, ada)

        submit(claimed, ada)

        assert not RankingDraft.objects.exists()
        with pytest.raises(AlreadySubmitted):
            save(claimed, ada, WHOLE)

    def test_goes_with_a_ranking_that_came_too_late(self, claimed, ada, ben, kitchen, claim):
        save(claimed, ada)
        later = NOON + timedelta(hours=2)
        return_overdue_assignments(now=later)
        bens = claim(kitchen, ben, now=later)
        save(bens, ben)

        tiers = [[pk] for pk in bens.shown_order]
        surplus, _ = submit(Assignment.objects.get(), ada, tiers=tiers)

        assert surplus.assignment.purpose == "surplus"
        assert RankingDraft.objects.get().labeler == ben

    def test_stays_when_the_assignment_is_skipped(self, claimed, ada):
        save(claimed, ada)

        skip_assignment(assignment=claimed, labeler=ada, reason="tired", now=NOON)

        assert RankingDraft.objects.get().content == HALF

    def test_too_large_or_too_deep_is_refused(self, claimed, ada):
        deep = HALF
        for _ in range(20):
            deep = {"in": deep}

        for wrong in (deep, {"words": ["x" * 90_000] * 9}):
            with pytest.raises(BadDraft):
                save(claimed, ada, wrong)
        for wrong in ({"words": "nul \x00"}, {"\ud83c": 1}):
            with pytest.raises(UnusableText):
                save(claimed, ada, wrong)


plain = text(characters(exclude_categories=["Cs"], exclude_characters="\x00"))
anything = recursive(
    none() | plain | integers() | floats(allow_nan=False, allow_infinity=False),
    lambda inner: lists(inner) | dictionaries(plain, inner),
    max_leaves=8,
)


@given(anything, sampled_from(["\x00", "\ud83c"]))
def test_what_no_database_can_hold_is_found_wherever_it_is(content, unusable):
    check_content([content])

    for hidden in ([content, unusable], {"content": content, unusable: 1}, [[{"words": [unusable]}]]):
        with pytest.raises(UnusableText):
            check_content(hidden)


class TestThroughHttp:
    @pytest.fixture
    def page(self, ada):
        client = Client()
        client.force_login(ada)
        return client

    def put(self, page, assignment, content=HALF, revision=0, **headers):
        body = json.dumps({"content": content, "revision": revision})
        return page.put(
            f"/api/assignments/{assignment.key}/draft",
            body,
            content_type="application/json",
            headers=headers,
        )

    def claim(self, page, campaign, **body):
        return page.post(
            f"/api/campaigns/{campaign.pk}/assignments", json.dumps(body), content_type="application/json"
        ).json()["assignments"]

    def test_comes_with_its_assignment(self, page, claimed, kitchen):
        assert self.claim(page, kitchen)[0]["draft"] is None
        saved = self.put(page, claimed).json()

        (offered,) = self.claim(page, kitchen)

        assert offered["draft"] == saved
        assert (saved["content"], saved["revision"]) == (HALF, 1)

    def test_costs_one_query_for_all_that_is_claimed(
        self, page, claimed, kitchen, django_assert_max_num_queries
    ):
        self.put(page, claimed)

        with django_assert_max_num_queries(50) as asked:
            self.claim(page, kitchen, count=3)

        about = [query["sql"] for query in asked.captured_queries if "rankingdraft" in query["sql"]]
        assert len(about) == 1

    def test_that_is_stale_is_answered_with_what_is_saved(self, page, claimed):
        self.put(page, claimed)

        stale = self.put(page, claimed, WHOLE)

        assert (stale.status_code, stale.json()["code"]) == (409, "stale_revision")
        assert stale.json()["fields"]["draft"]["content"] == HALF

    def test_is_read_and_dropped_by_its_labeler_only(self, page, claimed, ben):
        self.put(page, claimed)
        bens = Client()
        bens.force_login(ben)
        url = f"/api/assignments/{claimed.key}/draft"

        assert bens.get(url).json() == {"draft": None}
        assert bens.delete(url).status_code == 204
        assert page.get(url).json()["draft"]["content"] == HALF
        assert page.delete(url).status_code == 204
        assert page.get(url).json() == {"draft": None}

    @pytest.mark.parametrize("key", [uuid4(), "0" * 8 + "-0000-0000-0000-" + "0" * 12])
    def test_of_nothing_is_not_found(self, page, key):
        assert page.get(f"/api/assignments/{key}/draft").status_code == 404

    def test_that_nobody_could_read_is_no_fault_of_ours(self, page, claimed):
        deep = page.put(
            f"/api/assignments/{claimed.key}/draft",
            '{"revision": 0, "content": ' + "[" * 100_000 + "]" * 100_000 + "}",
            content_type="application/json",
        )

        assert (deep.status_code, deep.json()["code"]) == (400, "malformed_json")

    def test_of_a_page_that_somebody_else_opened_is_refused(self, page, claimed, ada, ben):
        assert self.put(page, claimed, **{"X-Person": str(ada.pk)}).status_code == 200

        answer = self.put(page, claimed, WHOLE, revision=1, **{"X-Person": str(ben.pk)})

        assert (answer.status_code, answer.json()["code"]) == (403, "other_person")
        assert RankingDraft.objects.get().content == HALF
