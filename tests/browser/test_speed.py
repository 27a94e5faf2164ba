"""Somebody who ranks faster than anybody can read: every order that was typed is the order that is stored.

``RANKWRIGHT_TYPED_ITEMS=500`` types five hundred; that takes two minutes.
"""

import itertools
import os
import time

from annotation.actions.candidates import add_candidate_set
from annotation.actions.prompts import add_prompt
from annotation.models import Campaign, Ranking

ITEMS = int(os.environ.get("RANKWRIGHT_TYPED_ITEMS", 150))
SECONDS_PER_KEY = 1 / 20
ORDERS = tuple(itertools.permutations("123"))
"""What is typed for one item after the other: the fourth candidate fills itself."""

SHOWN = """
() => [...document.querySelectorAll('article[data-candidate]')].filter((card) => card.checkVisibility())
  .map((card) => Number(card.dataset.candidate))
"""


class TestManyItems:
    def test_typed_at_twenty_keys_a_second_store_as_many_right_orders(self, visit, ada):
        campaign = Campaign.objects.create(name="Fast", overlap=1)
        for number in range(ITEMS):
            asked = [{"role": "user", "content": f"Question {number}"}]
            prompt, _ = add_prompt(campaign=campaign, messages=asked)
            add_candidate_set(prompt=prompt, texts=[f"Answer {number}{letter}" for letter in "abcd"])
        visitor = visit()
        visitor.enter(ada, f"/app/rank/{campaign.pk}")
        page = visitor.page

        typed = {}
        shown = []
        for number in range(ITEMS):
            shown = until_another_is_shown(page, shown)
            order = ORDERS[number % len(ORDERS)]
            type_steadily(page, *order, "Enter")
            ranked = [shown[int(digit) - 1] for digit in order]
            typed[tuple(shown)] = [[pk] for pk in [*ranked, *(set(shown) - set(ranked))]]
        while Ranking.objects.count() < ITEMS:
            page.wait_for_timeout(100)

        stored = {tuple(ranking.shown_order): ranking.tiers for ranking in Ranking.objects.all()}
        assert Ranking.objects.count() == len(typed) == ITEMS
        assert stored == typed


def until_another_is_shown(page, before):
    while not (shown := page.evaluate(SHOWN)) or shown == before:
        page.wait_for_timeout(5)
    assert len(shown) == 4
    return shown


def type_steadily(page, *keys):
    for key in keys:
        due = time.monotonic() + SECONDS_PER_KEY
        page.keyboard.press(key)
        page.wait_for_timeout(max(0, 1000 * (due - time.monotonic())))
