from datetime import timedelta

import pytest

from annotation.actions.assignments import skip_assignment
from annotation.actions.erasure import erase_person
from annotation.actions.retention import end_retention, outlived
from annotation.models import Assignment, Demonstration, LapsedLease, Ranking, Skip, Tombstone
from tests.annotation.test_erasure import sets_for, write
from tests.annotation.test_submit_ranking import submit
from tests.annotation.traces import traces_of
from tests.conftest import NOON

IN_A_MONTH = NOON + timedelta(days=31)


@pytest.fixture
def brief(kitchen):
    kitchen.retention_days = 30
    kitchen.save()
    return kitchen


class TestRetention:
    def test_ties_what_is_old_to_nobody(self, brief, soup_set, ada, claim):
        ranking, _ = submit(claim(brief, ada), ada)
        demonstration = write(brief, ada)

        assert end_retention(now=IN_A_MONTH) == 2

        assert traces_of(ada.pk, "never written") == set()
        assert Ranking.objects.get().tiers == ranking.tiers
        assert Demonstration.objects.get().turns == demonstration.turns
        assert set(Tombstone.objects.values_list("kind", "row", "mode")) == {
            ("ranking", ranking.pk, "anonymised"),
            ("demonstration", demonstration.pk, "anonymised"),
        }

    def test_leaves_what_is_younger(self, brief, soup_set, ada, claim):
        submit(claim(brief, ada), ada, now=NOON + timedelta(days=2))

        assert end_retention(now=IN_A_MONTH) == 0

        assert Ranking.objects.get().labeler == ada

    def test_counts_from_the_latest_correction(self, brief, soup_set, ada, claim):
        ranking, _ = submit(claim(brief, ada), ada)
        ranking.pk, ranking.revision, ranking.submitted_at = None, 2, NOON + timedelta(days=2)
        ranking.idempotency_key = ranking.assignment.key
        ranking.save()

        assert end_retention(now=IN_A_MONTH) == 0

    def test_is_off_unless_it_is_set(self, kitchen, soup_set, ada, claim):
        submit(claim(kitchen, ada), ada)

        assert outlived(kitchen, now=IN_A_MONTH) is None
        assert end_retention(now=IN_A_MONTH) == 0

    def test_done_twice_is_done_once(self, brief, soup_set, ada, claim):
        submit(claim(brief, ada), ada)
        end_retention(now=IN_A_MONTH)

        assert end_retention(now=IN_A_MONTH + timedelta(days=1)) == 0
        assert Tombstone.objects.count() == 1

    def test_drops_old_traces_of_work_but_none_of_another_campaign(self, brief, ada, claim):
        other = type(brief).objects.create(name="Garden")
        for campaign in (brief, other):
            sets_for(campaign, 2)
            skip_assignment(assignment=claim(campaign, ada), labeler=ada, reason="Long", now=NOON)
            held = claim(campaign, ada)
            LapsedLease.objects.create(assignment=held, labeler=ada, shown_order=[], lapsed_at=NOON)

        end_retention(now=IN_A_MONTH)

        assert Skip.objects.get().candidate_set.prompt.campaign == other
        assert LapsedLease.objects.get().assignment.campaign == other
        assert Assignment.objects.claimed().count() == 2

    def test_keeps_several_rankings_of_one_set_apart(self, brief, ada, ben, claim):
        brief.overlap = 2
        brief.save()
        sets_for(brief, 3)
        for person in (ada, ben):
            for _ in range(3):
                submit(claim(brief, person), person)

        assert end_retention(now=IN_A_MONTH) == 6

        assert set(Ranking.objects.values_list("labeler__username", flat=True)) == {"nobody:1", "nobody:2"}

    def test_comes_before_an_erasure_that_then_finds_nothing(self, brief, soup_set, ada, claim):
        submit(claim(brief, ada), ada)
        end_retention(now=IN_A_MONTH)

        erased = erase_person(person=ada, mode=Tombstone.Mode.REMOVED, by=None, now=IN_A_MONTH)

        assert erased.rankings == 0
        assert Ranking.objects.count() == 1

    def test_says_beforehand_how_much_it_would_be(self, brief, soup_set, ada, claim):
        submit(claim(brief, ada), ada)
        write(brief, ada)

        assert outlived(brief, now=NOON).contributions() == 0
        assert outlived(brief, now=IN_A_MONTH).contributions() == 2
