from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.actions.assignments import return_overdue_assignments
from annotation.actions.quality import look_again
from annotation.actions.quality_reports import make_report
from annotation.actions.rankings import correct_ranking
from annotation.actions.voids import lift_void, settle_voids, void_work, work_of
from annotation.errors import NotAllowed, NothingToVoid, ReasonMissing
from annotation.models import (
    Assignment,
    Campaign,
    Consensus,
    Demonstration,
    Person,
    Ranking,
    Void,
)
from tests.annotation.test_erasure import sets_for, write
from tests.annotation.test_submit_ranking import ids, submit
from tests.conftest import NOON

HOUR = timedelta(hours=1)
PURPOSE = Assignment.Purpose


@pytest.fixture
def kitchen(kitchen):
    kitchen.overlap, kitchen.demonstrations_per_prompt = 2, 1
    kitchen.save()
    return kitchen


def void(person, rhea, **changes):
    details = {
        "since": NOON - HOUR,
        "until": NOON + HOUR,
        "reason": "Clicked through.",
        "reopens": False,
        "now": NOON + HOUR,
    }
    return void_work(person=person, by=rhea, **{**details, **changes})


def lift(voided, rhea):
    return lift_void(void=voided, by=rhea, now=NOON + 2 * HOUR)


def rank_against_each_other(kitchen, ada, ben, claim):
    """Ada as shown by id, Ben the other way round."""
    held = claim(kitchen, ada)
    submit(held, ada)
    other = claim(kitchen, ben)
    submit(other, ben, tiers=[[pk] for pk in reversed(ids(other))])
    return held


class TestVoiding:
    def test_takes_the_ranking_out_of_consensus_and_agreement(self, kitchen, soup_set, ada, ben, rhea, claim):
        rank_against_each_other(kitchen, ada, ben, claim)
        assert soup_set.consensus.rankings == 2

        void(ben, rhea)
        settle_voids(now=NOON)

        consensus = Consensus.objects.get()
        assert (consensus.rankings, consensus.agreement) == (1, None)
        assert consensus.tiers == Ranking.objects.get(labeler=ada).tiers
        assert make_report(campaign=kitchen, now=NOON).rankings == 1

    def test_shows_nothing_stale_meanwhile(self, kitchen, soup_set, ada, ben, rhea, claim):
        rank_against_each_other(kitchen, ada, ben, claim)

        void(ben, rhea)

        assert not Consensus.objects.exists()

    def test_changes_nothing_of_what_was_said(self, kitchen, soup_set, soup, ada, rhea, claim):
        submit(claim(kitchen, ada), ada)
        write(kitchen, ada)
        before = list(Ranking.objects.values()), list(Demonstration.objects.values("turns", "status"))

        void(ada, rhea)

        after = list(Ranking.objects.values()), list(Demonstration.objects.values("turns", "status"))
        assert after == before

    def test_leaves_out_what_was_handed_in_before_and_after(self, kitchen, ada, rhea, claim):
        sets_for(kitchen, 3)
        for moment in (NOON - 2 * HOUR, NOON, NOON + HOUR):
            submit(claim(kitchen, ada), ada, now=moment)

        void(ada, rhea)

        voided = Ranking.objects.filter(assignment__purpose=PURPOSE.VOIDED)
        assert [ranking.submitted_at for ranking in voided] == [NOON]

    def test_goes_by_the_latest_revision_and_brings_no_superseded_one_back(
        self, kitchen, soup_set, ada, rhea, claim
    ):
        held = claim(kitchen, ada, now=NOON - 2 * HOUR)
        submit(held, ada, now=NOON - 2 * HOUR)
        correct(held, ada, now=NOON)

        void(ada, rhea)

        assert not Ranking.objects.current().counted().exists()

    def test_may_be_of_one_campaign_only(self, kitchen, soup_set, ada, rhea, claim):
        other = Campaign.objects.create(name="Garden")
        sets_for(other, 1)
        for campaign in (kitchen, other):
            submit(claim(campaign, ada), ada)

        void(ada, rhea, campaign=other)

        assert Assignment.objects.get(purpose=PURPOSE.VOIDED).campaign == other

    def test_asks_others_again_only_if_wished(self, kitchen, soup_set, soup, ada, rhea, claim):
        submit(claim(kitchen, ada), ada)
        write(kitchen, ada)

        void(ada, rhea)
        assert Assignment.objects.open().count() == 1
        assert not kitchen.prompts.wanting_demonstrations(kitchen).exists()

        lift(Void.objects.get(), rhea)
        void(ada, rhea, reopens=True)
        assert Assignment.objects.open().count() == 2
        assert kitchen.prompts.wanting_demonstrations(kitchen).get() == soup

    def test_never_hands_the_same_set_to_them_again(self, kitchen, soup_set, ada, rhea, claim):
        submit(claim(kitchen, ada), ada)

        void(ada, rhea, reopens=True)

        assert claim(kitchen, ada) is None

    def test_lets_a_voided_reviewer_no_longer_overrule(self, kitchen, soup_set, ada, ben, rosa, rhea, claim):
        rank_against_each_other(kitchen, ada, ben, claim)
        turn = Assignment.objects.create(
            candidate_set=soup_set, campaign=kitchen, purpose=PURPOSE.ADJUDICATION
        )
        turn.claim(rosa, now=NOON, lease=HOUR, shown_order=ids(Assignment.objects.get(labeler=ada)))
        submit(Assignment.objects.in_full().get(pk=turn.pk), rosa)
        assert Consensus.objects.get().is_adjudicated

        void(rosa, rhea, reopens=True)
        settle_voids(now=NOON)

        assert not Consensus.objects.get().is_adjudicated
        assert Assignment.objects.open().get().purpose == PURPOSE.ADJUDICATION

    @pytest.mark.parametrize("purpose", [PURPOSE.CHAT, PURPOSE.ARENA])
    def test_asks_nobody_else_for_a_choice_and_gives_it_back(
        self, kitchen, soup_set, ada, rhea, claim, purpose
    ):
        submit(claim(kitchen, ada), ada)
        Assignment.objects.filter(labeler=ada).update(purpose=purpose, slot=None)
        waiting = Assignment.objects.open().count()
        assert work_of(ada, since=NOON, until=NOON + HOUR)[0].choices == 1

        voided = void(ada, rhea, reopens=True)
        assert Assignment.objects.get(labeler=ada).purpose == PURPOSE.VOIDED
        assert Assignment.objects.open().count() == waiting

        lift(voided, rhea)
        assert Assignment.objects.get(labeler=ada).purpose == purpose

    def test_keeps_a_voided_demonstration_from_reviewers_and_models(self, kitchen, soup, ada, rosa, rhea):
        write(kitchen, ada)

        void(ada, rhea)

        assert not Demonstration.objects.usable().exists()
        assert not Demonstration.objects.reviewable_by(rosa, NOON).exists()

    def test_asks_for_a_reason_a_researcher_and_something_to_void(
        self, kitchen, soup_set, ada, ben, rosa, rhea, claim
    ):
        submit(claim(kitchen, ada), ada)

        for refusal, person, changes in [
            (ReasonMissing, ada, {"reason": " "}),
            (NothingToVoid, ben, {}),
        ]:
            with pytest.raises(refusal):
                void(person, rhea, **changes)
        with pytest.raises(NotAllowed):
            void(ada, rosa)
        assert not Void.objects.exists()


class TestLifting:
    def test_makes_everything_as_it_was(self, kitchen, soup_set, soup, ada, ben, rhea, claim):
        rank_against_each_other(kitchen, ada, ben, claim)
        write(kitchen, ben)
        before = told(kitchen)

        voided = void(ben, rhea, reopens=True)
        settle_voids(now=NOON)
        restored = lift(voided, rhea)
        settle_voids(now=NOON)

        assert told(kitchen) == before
        assert (restored.rankings, restored.surplus, restored.demonstrations) == (1, 0, 1)

    def test_keeps_as_surplus_what_somebody_else_ranked_in_their_place(
        self, kitchen, soup_set, ada, ben, rosa, rhea, claim
    ):
        rank_against_each_other(kitchen, ada, ben, claim)
        voided = void(ben, rhea, reopens=True)
        submit(claim(kitchen, rosa), rosa)

        restored = lift(voided, rhea)

        assert (restored.rankings, restored.surplus) == (0, 1)
        assert Assignment.objects.get(labeler=ben).purpose == PURPOSE.SURPLUS
        assert Assignment.objects.filter(purpose=PURPOSE.OVERLAP).count() == kitchen.overlap

    def test_takes_no_slot_away_from_who_may_still_hand_it_in_late(
        self, kitchen, soup_set, ada, ben, rosa, rhea, claim
    ):
        rank_against_each_other(kitchen, ada, ben, claim)
        voided = void(ben, rhea, reopens=True)
        late = claim(kitchen, rosa)
        return_overdue_assignments(now=NOON + HOUR)

        lift(voided, rhea)

        ranking, _is_new = submit(late, rosa)
        assert ranking.assignment.purpose == PURPOSE.OVERLAP

    def test_happens_once(self, kitchen, soup_set, ada, rhea, claim):
        submit(claim(kitchen, ada), ada)
        voided = void(ada, rhea)

        assert lift(voided, rhea) and lift(voided, rhea) is None


def correct(held, labeler, *, now):
    return correct_ranking(
        assignment=held,
        labeler=labeler,
        tiers=[[pk] for pk in reversed(ids(held))],
        unacceptable=[],
        cannot_judge="",
        seconds_spent=5,
        idempotency_key=uuid4(),
        now=now,
    )


def told(campaign):
    """What the campaign's judgements say, whatever rows they stand in."""
    return (
        Counter(
            Ranking.objects.current().counted().values_list("labeler", "assignment__slot", "submitted_at")
        ),
        [(one.tiers, one.agreement, one.rankings) for one in Consensus.objects.order_by("candidate_set")],
        set(Demonstration.objects.usable().values_list("pk", flat=True)),
        Counter(Assignment.objects.values_list("candidate_set", "slot", "status")),
        campaign.prompts.wanting_demonstrations(campaign).count(),
    )


people, works = st.sampled_from(["ada", "ben"]), st.sampled_from(["rank", "write"])
deeds = st.lists(st.tuples(people, works, st.integers(-3, 3)), max_size=12)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=deeds, since=st.integers(-4, 3), reopens=st.booleans())
def test_the_preview_tells_what_happens_and_undo_takes_it_back(ada, ben, rhea, claim, deeds, since, reopens):
    by_name = {"ada": ada, "ben": ben}
    with transaction.atomic():
        campaign = Campaign.objects.create(name="Garden", overlap=2, demonstrations_per_prompt=2)
        sets_for(campaign, 4)
        for who, what, hours in deeds:
            do(what, campaign, by_name[who], claim, NOON + hours * HOUR)
        settle(campaign)
        span = {"since": NOON + since * HOUR, "until": NOON + 4 * HOUR}
        before, counted = told(campaign), count(ada)

        preview = work_of(ada, **span)
        if not preview:
            with pytest.raises(NothingToVoid):
                void(ada, rhea, reopens=reopens, **span)
            return transaction.set_rollback(True)
        voided = void(ada, rhea, reopens=reopens, **span)
        settle_voids(now=NOON)

        [work] = preview
        gone = counted - count(ada)
        assert gone == Counter({"rankings": work.rankings, "demonstrations": work.demonstrations})
        assert work_of(ada, **span) == []
        lift(voided, rhea)
        settle_voids(now=NOON)
        assert told(campaign) == before
        transaction.set_rollback(True)


def do(what, campaign, person, claim, moment):
    if what == "write":
        if campaign.prompts.wanting_demonstrations(campaign).exclude(demonstrations__labeler=person).exists():
            written = write(campaign, person)
            Demonstration.objects.filter(pk=written.pk).update(submitted_at=moment)
    elif held := claim(campaign, person, now=moment):
        submit(held, person, now=moment)


def settle(campaign):
    for turn in Assignment.objects.select_related("candidate_set__prompt__campaign"):
        look_again(candidate_set=turn.candidate_set, now=NOON)


def count(person: Person) -> Counter:
    return Counter(
        rankings=Ranking.objects.current().counted().filter(labeler=person).count(),
        demonstrations=Demonstration.objects.usable().filter(labeler=person).count(),
    )
