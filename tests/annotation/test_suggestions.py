"""A stored answer is shown to who writes a demonstration, and that never goes unmarked."""

import random

import pytest

from annotation.actions.candidates import add_candidate_set
from annotation.actions.demonstrations import claim_demonstration
from annotation.actions.gold import mark_gold, unmet_gold
from annotation.actions.prompts import add_prompt
from annotation.actions.suggestions import show_suggestion
from annotation.errors import AlreadySubmitted, NoSuggestion
from annotation.models import Completion, Demonstration, PracticeItem
from tests.annotation.test_demonstrations import submit
from tests.conftest import NOON


@pytest.fixture
def draft(kitchen, soup_set, ada):
    kitchen.offers_suggestions = True
    kitchen.save()
    return claim_demonstration(campaign=kitchen, labeler=ada)


def show(demonstration, seed=0):
    return show_suggestion(demonstration=demonstration, rng=random.Random(seed))


class TestShowSuggestion:
    def test_marks_the_demonstration_for_good(self, draft):
        shown = show(draft)
        submit(draft)

        assert Demonstration.objects.get().suggestion == shown

    def test_shows_the_same_again(self, draft):
        assert len({show(Demonstration.objects.get(), seed) for seed in range(9)}) == 1

    def test_knows_only_candidates_of_the_prompt(self, draft, soup, soup_set):
        rice, _ = add_prompt(campaign=draft.prompt.campaign, messages=[{"role": "user", "content": "Rice?"}])
        add_candidate_set(prompt=rice, texts=["Steam it.", "Soak it."])
        Completion.objects.create(prompt=soup, text="In no set.")

        shown = set()
        for seed in range(40):
            Demonstration.objects.update(suggestion=None)
            shown.add(show(Demonstration.objects.get(), seed))

        assert shown == set(soup_set.completions.all())

    def test_is_refused_where_the_campaign_offers_none(self, draft):
        draft.prompt.campaign.offers_suggestions = False

        with pytest.raises(NoSuggestion):
            show(draft)

    def test_is_refused_where_there_is_none(self, draft, soup_set):
        soup_set.delete()

        with pytest.raises(NoSuggestion):
            show(draft)

    def test_takes_nothing_from_practice(self, draft, soup_set):
        PracticeItem.objects.create(
            candidate_set=soup_set,
            campaign=draft.prompt.campaign,
            tiers=[],
            explanation="All of them are bad.",
            created_at=NOON,
        )

        with pytest.raises(NoSuggestion):
            show(draft)

    def test_is_refused_to_who_ranks_the_same_answers_now(self, draft, kitchen, ada, claim):
        claim(kitchen, ada)

        with pytest.raises(NoSuggestion, match="rank or skip"):
            show(draft)

        assert Demonstration.objects.get().suggestion is None

    def test_comes_too_late_for_what_is_handed_in(self, draft):
        other_tab = Demonstration.objects.get()
        submit(other_tab)

        with pytest.raises(AlreadySubmitted):
            show(draft)

        assert Demonstration.objects.get().suggestion is None


class TestWhoWasShownOne:
    def test_ranks_no_candidates_of_that_prompt_now_or_later(self, draft, kitchen, soup, ada, ben, claim):
        show(draft)
        later = add_candidate_set(prompt=soup, texts=["Chill it.", "Strain it."])

        assert claim(kitchen, ada) is None
        assert later.assignments.open().exists()
        assert claim(kitchen, ben)

    def test_is_measured_by_none_of_them_either(self, draft, kitchen, soup_set, ada, ben, rhea):
        kitchen.gold_percent = 50
        best, *others = soup_set.completions.values_list("pk", flat=True)
        mark_gold(candidate_set=soup_set, tiers=[[best], others], marked_by=rhea, now=NOON)
        show(draft)

        assert not unmet_gold(kitchen, ada).exists()
        assert unmet_gold(kitchen, ben).exists()

    def test_still_ranks_those_of_other_prompts(self, draft, kitchen, ada, claim):
        rice, _ = add_prompt(campaign=kitchen, messages=[{"role": "user", "content": "Rice?"}])
        add_candidate_set(prompt=rice, texts=["Steam it.", "Soak it."])
        show(draft)

        assert claim(kitchen, ada).candidate_set.prompt == rice
