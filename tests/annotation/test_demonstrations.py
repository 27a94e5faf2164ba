from uuid import uuid4

import pytest

from annotation.actions.demonstrations import (
    claim_demonstration,
    save_draft,
    skip_demonstration,
    submit_demonstration,
    take_up_skipped,
)
from annotation.actions.history import skipped_demonstrations
from annotation.actions.prompts import add_prompt
from annotation.errors import AlreadySubmitted, IdempotencyConflict, LastTurnNotAssistant, StaleRevision
from annotation.models import Demonstration
from tests.conftest import NOON

ANSWER = [{"role": "assistant", "content": "Boil vegetables in broth."}]


@pytest.fixture
def draft(kitchen, soup, ada):
    return claim_demonstration(campaign=kitchen, labeler=ada)


def submit(draft, turns=ANSWER, key=None):
    return submit_demonstration(
        demonstration=draft, turns=turns, seconds_spent=30, idempotency_key=key or uuid4(), now=NOON
    )


class TestClaimDemonstration:
    def test_offers_the_labelers_own_draft_first(self, kitchen, draft, ada):
        assert claim_demonstration(campaign=kitchen, labeler=ada) == draft

    def test_offers_two_labelers_different_prompts_while_there_are_some(self, kitchen, draft, ben):
        rice, _ = add_prompt(campaign=kitchen, messages=[{"role": "user", "content": "Rice?"}])

        assert claim_demonstration(campaign=kitchen, labeler=ben).prompt == rice

    def test_offers_nothing_once_every_prompt_has_enough(self, kitchen, draft, ada, ben):
        submit(draft)

        assert claim_demonstration(campaign=kitchen, labeler=ada) is None
        assert claim_demonstration(campaign=kitchen, labeler=ben) is None


class TestSaveDraft:
    def test_keeps_unfinished_turns(self, draft):
        unfinished = [*ANSWER, {"role": "user", "content": ""}]

        assert save_draft(demonstration=draft, turns=unfinished, revision=0).turns == unfinished

    def test_refuses_to_overwrite_what_another_tab_saved(self, draft):
        save_draft(demonstration=draft, turns=ANSWER, revision=0)

        with pytest.raises(StaleRevision):
            save_draft(demonstration=Demonstration.objects.get(), turns=[], revision=0)

        assert Demonstration.objects.get().turns == ANSWER


class TestSkipDemonstration:
    @pytest.fixture
    def skipped(self, draft):
        save_draft(demonstration=draft, turns=ANSWER, revision=0)
        skip_demonstration(demonstration=draft, reason="subject", now=NOON)
        return draft

    def test_keeps_what_was_written_and_offers_another_prompt(self, kitchen, skipped, ada):
        rice, _ = add_prompt(campaign=kitchen, messages=[{"role": "user", "content": "Rice?"}])

        assert claim_demonstration(campaign=kitchen, labeler=ada).prompt == rice
        assert list(skipped_demonstrations(ada)) == [skipped]
        skipped.refresh_from_db()
        assert (skipped.turns, skipped.skip_reason) == (ANSWER, "subject")

    def test_is_never_offered_to_its_author_again_but_to_others(self, kitchen, skipped, ada, ben):
        assert claim_demonstration(campaign=kitchen, labeler=ada) is None
        assert claim_demonstration(campaign=kitchen, labeler=ben).prompt == skipped.prompt

    def test_can_be_taken_up_again(self, kitchen, skipped, ada):
        take_up_skipped(demonstration=skipped)

        assert claim_demonstration(campaign=kitchen, labeler=ada) == skipped
        assert not skipped_demonstrations(ada)

    def test_of_what_is_handed_in_is_refused(self, draft):
        submit(draft)

        with pytest.raises(AlreadySubmitted):
            skip_demonstration(demonstration=draft, reason="subject", now=NOON)

    def test_is_undone_by_handing_it_in_from_another_tab(self, skipped, ada):
        submit(skipped)

        assert (skipped.status, skipped.skipped_at) == (Demonstration.Status.SUBMITTED, None)
        assert not skipped_demonstrations(ada)


class TestSubmitDemonstration:
    def test_keeps_the_turns_and_the_guideline_they_were_written_under(self, draft, kitchen):
        demonstration, is_new = submit(draft)

        assert is_new
        assert demonstration.turns == ANSWER
        assert demonstration.guideline == kitchen.guidelines.get()

    def test_stores_the_same_key_once(self, draft):
        key = uuid4()
        submit(draft, key=key)

        assert submit(draft, key=key)[1] is False
        with pytest.raises(IdempotencyConflict):
            submit(draft, turns=[{"role": "assistant", "content": "Fry it."}], key=key)

    def test_refuses_a_second_one(self, draft):
        submit(draft)

        with pytest.raises(AlreadySubmitted):
            submit(draft)

    def test_keeps_the_draft_when_it_refuses(self, draft):
        save_draft(demonstration=draft, turns=ANSWER, revision=0)

        with pytest.raises(LastTurnNotAssistant):
            submit(draft, turns=[*ANSWER, {"role": "user", "content": "And then?"}])

        assert Demonstration.objects.get().turns == ANSWER
