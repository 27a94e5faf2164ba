import random
from datetime import timedelta

import pytest

from annotation.actions.assignments import (
    claim_assignments,
    extend_assignment,
    return_overdue_assignments,
    skip_assignment,
)
from annotation.actions.candidates import add_candidate_set, shuffled
from annotation.actions.waiting import waiting_for
from annotation.errors import LeaseLost
from annotation.models import Campaign
from tests.conftest import NOON

AN_HOUR = timedelta(hours=1)


class TestClaimAssignments:
    def test_shows_every_candidate_once_in_an_order_of_its_own(self, kitchen, soup_set, ada, claim):
        assignment = claim(kitchen, ada)

        assert sorted(assignment.shown_order) == sorted(soup_set.completions.values_list("pk", flat=True))

    def test_shows_each_order_about_equally_often(self, soup_set):
        rng = random.Random(7)
        first = [shuffled(soup_set, rng)[0] for _ in range(400)]

        assert all(60 < first.count(pk) < 140 for pk in set(first))
        assert len(set(first)) == 4

    def test_gives_one_slot_to_one_labeler(self, kitchen, soup_set, ada, ben, claim):
        assert claim(kitchen, ada) is not None
        assert claim(kitchen, ben) is None

    def test_gives_back_after_a_reload_what_the_labeler_leases(self, kitchen, soup_set, ada, claim):
        assert claim(kitchen, ada) == claim(kitchen, ada)

    def test_never_offers_a_set_twice_to_one_labeler(self, kitchen, soup, ada, claim):
        kitchen.overlap = 3
        kitchen.save()
        soup.campaign.refresh_from_db()
        add_candidate_set(prompt=soup, texts=["Yes.", "No."])
        first = claim(kitchen, ada)

        more = claim_assignments(
            campaign=kitchen, labeler=ada, count=3, holding=[first.key], now=NOON, rng=random.Random(0)
        )

        assert more == []

    def test_takes_over_what_somebody_left_lying(self, kitchen, claimed, ben, claim):
        assert claim(kitchen, ben) is None
        assert claim(kitchen, ben, now=NOON + AN_HOUR) == claimed

    def test_hands_out_higher_priority_first(self, kitchen, soup, soup_set, ada, claim):
        urgent = add_candidate_set(prompt=soup, texts=["Yes.", "No."], priority=1)

        assert claim(kitchen, ada).candidate_set == urgent

    def test_hands_out_nothing_new_while_paused(self, kitchen, soup_set, ada, claim):
        kitchen.status = Campaign.Status.PAUSED

        assert claim(kitchen, ada) is None


class TestSkipAssignment:
    def test_opens_it_for_others_and_is_remembered(self, kitchen, claimed, ada, ben, claim):
        skip_assignment(assignment=claimed, labeler=ada, reason="Not my field", now=NOON)

        assert claim(kitchen, ada) is None
        assert claim(kitchen, ben) == claimed

    def test_needs_the_lease(self, claimed, ben):
        with pytest.raises(LeaseLost):
            skip_assignment(assignment=claimed, labeler=ben, reason="Not mine", now=NOON)


class TestExtendAssignment:
    def test_keeps_it_from_running_out(self, claimed, ada):
        extend_assignment(assignment=claimed, labeler=ada, now=NOON + AN_HOUR / 2)

        assert return_overdue_assignments(now=NOON + AN_HOUR) == 0

    def test_refuses_when_it_went_back(self, claimed, ada):
        return_overdue_assignments(now=NOON + AN_HOUR)

        with pytest.raises(LeaseLost):
            extend_assignment(assignment=claimed, labeler=ada, now=NOON + AN_HOUR)


class TestWaitingFor:
    def test_counts_what_this_labeler_could_still_do(self, kitchen, soup_set, ada, ben, claim):
        assert waiting_for(ada, kitchen, now=NOON).rankings_waiting == 1
        claim(kitchen, ben)

        assert waiting_for(ada, kitchen, now=NOON).rankings_waiting == 0
        assert waiting_for(ben, kitchen, now=NOON).rankings_waiting == 1
        assert waiting_for(ada, kitchen, now=NOON).demonstrations_waiting == 1
