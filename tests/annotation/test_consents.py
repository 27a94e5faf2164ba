from datetime import timedelta
from uuid import uuid4

import pytest

from annotation.actions.consents import (
    agreed_text,
    give_consent,
    publish_consent_text,
    require_consent,
    standing_consent,
    withdraw_consent,
)
from annotation.actions.demonstrations import claim_demonstration, submit_demonstration
from annotation.errors import ConsentNeeded, ConsentOutdated, LeaseLost
from annotation.models import Assignment, Consent
from tests.annotation.test_submit_ranking import submit
from tests.conftest import NOON

LATER = NOON + timedelta(days=1)


@pytest.fixture
def terms(kitchen):
    return publish_consent_text(campaign=kitchen, text="We keep what you write.", now=NOON)


def agree(campaign, labeler, version=1, now=NOON):
    return give_consent(campaign=campaign, labeler=labeler, version=version, now=now)


def write(draft, labeler):
    return submit_demonstration(
        demonstration=draft,
        turns=[{"role": "assistant", "content": "Boil it."}],
        seconds_spent=9,
        idempotency_key=uuid4(),
        now=NOON,
    )


class TestWorkIsHandedOut:
    def test_without_a_text_to_everybody(self, kitchen, soup_set, ada, claim):
        assert claim(kitchen, ada)
        assert claim_demonstration(campaign=kitchen, labeler=ada)

    def test_with_a_text_only_after_it_was_agreed_to(self, kitchen, soup_set, ada, claim, terms):
        with pytest.raises(ConsentNeeded):
            claim(kitchen, ada)
        with pytest.raises(ConsentNeeded):
            claim_demonstration(campaign=kitchen, labeler=ada)

        agree(kitchen, ada)

        assert claim(kitchen, ada)
        assert claim_demonstration(campaign=kitchen, labeler=ada)

    def test_not_because_somebody_else_agreed(self, kitchen, soup_set, ada, ben, claim, terms):
        agree(kitchen, ben)

        with pytest.raises(ConsentNeeded):
            claim(kitchen, ada)

    def test_not_before_a_newer_text_was_agreed_to(self, kitchen, soup_set, ada, claim, terms):
        agree(kitchen, ada)
        publish_consent_text(campaign=kitchen, text="We publish what you write.", now=LATER)

        with pytest.raises(ConsentNeeded):
            claim(kitchen, ada)

    def test_not_after_withdrawing(self, kitchen, soup_set, ada, claim, terms):
        agree(kitchen, ada)
        withdraw_consent(campaign=kitchen, labeler=ada, now=LATER)

        with pytest.raises(ConsentNeeded):
            claim(kitchen, ada)


class TestGivingConsent:
    def test_is_for_the_current_text_only(self, kitchen, ada, terms):
        publish_consent_text(campaign=kitchen, text="We publish what you write.", now=LATER)

        with pytest.raises(ConsentOutdated):
            agree(kitchen, ada, version=1)

        assert not Consent.objects.exists()

    def test_where_nothing_is_asked_is_refused(self, kitchen, ada):
        with pytest.raises(ConsentOutdated):
            agree(kitchen, ada)

    def test_twice_is_once(self, kitchen, ada, terms):
        agree(kitchen, ada)
        agree(kitchen, ada, now=LATER)

        assert Consent.objects.get().given_at == NOON

    def test_after_withdrawing_stands_again(self, kitchen, ada, terms):
        agree(kitchen, ada)
        withdraw_consent(campaign=kitchen, labeler=ada, now=NOON)
        agree(kitchen, ada, now=LATER)

        require_consent(kitchen, ada)
        assert standing_consent(kitchen, ada).given_at == LATER


class TestWithdrawing:
    def test_is_recorded_once(self, kitchen, ada, terms):
        agree(kitchen, ada)

        withdrawn = [withdraw_consent(campaign=kitchen, labeler=ada, now=now) for now in (NOON, LATER)]

        assert withdrawn == [1, 0]
        assert Consent.objects.get().withdrawn_at == NOON

    def test_gives_back_the_work_in_hand(self, kitchen, soup_set, ada, ben, claim, terms):
        agree(kitchen, ada)
        agree(kitchen, ben)
        held = claim(kitchen, ada)
        withdraw_consent(campaign=kitchen, labeler=ada, now=NOON)

        with pytest.raises(LeaseLost):
            submit(held, ada)
        assert claim(kitchen, ben) == held

    def test_lets_nothing_more_be_handed_in(self, kitchen, soup, ada, terms):
        agree(kitchen, ada)
        draft = claim_demonstration(campaign=kitchen, labeler=ada)
        withdraw_consent(campaign=kitchen, labeler=ada, now=NOON)

        with pytest.raises(ConsentNeeded):
            write(draft, ada)
        draft.refresh_from_db()
        assert draft.status == "DRAFT"

    def test_elsewhere_changes_nothing_here(self, kitchen, soup_set, ada, claim, terms):
        other = type(kitchen).objects.create(name="Garden")
        publish_consent_text(campaign=other, text="Mind the roses.", now=NOON)
        agree(other, ada)
        agree(kitchen, ada)

        withdraw_consent(campaign=other, labeler=ada, now=NOON)

        assert claim(kitchen, ada)


class TestContributions:
    def test_keep_the_version_that_was_agreed_to(self, kitchen, soup_set, soup, ada, claim, terms):
        agree(kitchen, ada)

        ranking, _ = submit(claim(kitchen, ada), ada)
        demonstration, _ = write(claim_demonstration(campaign=kitchen, labeler=ada), ada)

        assert ranking.consent == demonstration.consent == terms

    def test_in_hand_when_a_newer_text_comes_keep_the_older(self, kitchen, soup_set, ada, claim, terms):
        agree(kitchen, ada)
        held = claim(kitchen, ada)
        publish_consent_text(campaign=kitchen, text="We publish what you write.", now=LATER)

        ranking, _ = submit(held, ada)

        assert ranking.consent == terms

    def test_in_hand_when_the_first_text_comes_keep_none(self, kitchen, claimed, ada):
        publish_consent_text(campaign=kitchen, text="We keep what you write.", now=LATER)

        ranking, _ = submit(claimed, ada)

        assert ranking.consent is None
        assert agreed_text(kitchen, ada) is None
        assert Assignment.objects.submitted().count() == 1
