"""Imported prompts with personal data: nobody sees them before a researcher has decided."""

import pytest

from annotation import personal_data
from annotation.actions.demonstrations import claim_demonstration
from annotation.actions.prompts import reject_prompt, release_prompt
from annotation.errors import PromptNotHeld, ScannerMissing
from annotation.models import Assignment, Prompt
from tests.annotation.test_imports import run_import

CALL = {"prompt": "Write to ann.lee@example.org for me.", "completions": ["Dear Ann", "No."]}
SOUP = {"prompt": "Soup?", "completions": ["Boil.", "Fry."]}


@pytest.fixture
def scanning(kitchen):
    kitchen.scans_for_personal_data = True
    kitchen.save()
    return kitchen


@pytest.fixture
def held(scanning):
    run_import(scanning, "prompts", [CALL])
    return Prompt.objects.get()


class TestAHeldPrompt:
    def test_is_told_by_kind_and_place(self, held):
        [found] = held.findings

        text = held.messages[found["message"]]["content"]
        assert held.status == Prompt.Status.HELD
        assert (found["kind"], text[found["start"] : found["end"]]) == (
            "email_address",
            "ann.lee@example.org",
        )
        assert "ann.lee" not in str(held.findings)

    def test_is_handed_to_nobody(self, held, scanning, ada, claim):
        assert claim(scanning, ada) is None
        assert claim_demonstration(campaign=scanning, labeler=ada) is None

    def test_is_handed_out_once_it_is_released(self, held, scanning, ada, claim):
        release_prompt(held)

        assert claim(scanning, ada).candidate_set.prompt == held
        assert claim_demonstration(campaign=scanning, labeler=ada).prompt == held

    def test_gets_the_slots_that_its_file_has_not_filled(self, scanning):
        scanning.overlap = 3
        scanning.save()
        run_import(scanning, "prompts", [{**CALL, "tiers": [[0], [1]]}])

        release_prompt(Prompt.objects.get())

        slots = Assignment.objects.order_by("slot").values_list("slot", "status")
        assert list(slots) == [(1, "SUBMITTED"), (2, "OPEN"), (3, "OPEN")]

    def test_is_handed_to_nobody_once_it_is_rejected(self, held, scanning, ada, claim):
        reject_prompt(held)

        run_import(scanning, "prompts", [CALL])
        assert claim(scanning, ada) is None
        assert claim_demonstration(campaign=scanning, labeler=ada) is None

    @pytest.mark.parametrize("decide", [release_prompt, reject_prompt])
    def test_is_decided_on_once(self, held, decide):
        reject_prompt(held)

        with pytest.raises(PromptNotHeld):
            decide(held)

    def test_leaves_the_others_alone(self, scanning, ada, claim):
        run_import(scanning, "prompts", [CALL, SOUP])

        assert claim(scanning, ada).candidate_set.prompt.messages[0]["content"] == "Soup?"

    def test_is_held_only_where_the_campaign_wants_it(self, kitchen):
        run_import(kitchen, "prompts", [CALL])

        assert Prompt.objects.get().status == Prompt.Status.READY


class TestWithoutTheLibrary:
    @pytest.fixture(autouse=True)
    def no_library(self, monkeypatch):
        monkeypatch.setattr(personal_data, "can_scan", lambda: False)

    def test_nothing_is_imported_unscanned(self, scanning):
        with pytest.raises(ScannerMissing):
            run_import(scanning, "prompts", [CALL])

        assert not Prompt.objects.exists()
