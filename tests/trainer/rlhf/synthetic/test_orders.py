"""Two orders of asking: what only the place decides is no preference, and nothing is guessed from words."""

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.rlhf.synthetic.orders import agreed_pairs, agreed_tiers, askings, levels, preferred, read_order

candidates = st.lists(st.integers(1, 99), min_size=2, max_size=9, unique=True)
seeds = st.randoms(use_true_random=False)


def judged_by(opinion, shown):
    """An order by a number for each candidate, highest first; equal ones are tied."""
    return [[one for one in shown if opinion(one) == value] for value in sorted({*map(opinion, shown)})[::-1]]


class TestPlaceAlone:
    @given(candidates, seeds, st.booleans())
    def test_never_makes_a_preference_of_what_stands_first_or_last(self, ids, rng, likes_last):
        orders = [
            judged_by(lambda one, shown=shown: shown.index(one) * (1 if likes_last else -1), shown)
            for shown in askings(ids, "whole", rng)
        ]

        assert agreed_tiers(orders, ids) == [sorted(ids)]
        assert agreed_pairs(orders, ids) == 0

    @given(candidates, seeds, st.randoms(use_true_random=False))
    def test_of_whatever_kind_makes_none_where_pairs_are_asked(self, ids, rng, whim):
        likes = whim.choice([-1, 0, 1])

        orders = [
            judged_by(lambda one, shown=shown: shown.index(one) * likes, shown)
            for shown in askings(ids, "pairs", rng)
        ]

        assert agreed_tiers(orders, ids) == [sorted(ids)]


class TestAgreedTiers:
    @given(candidates, seeds, st.sampled_from(["whole", "pairs"]))
    def test_are_the_opinion_of_a_judge_that_has_one(self, ids, rng, method):
        opinion = {one: one % 4 for one in ids}.__getitem__

        orders = [judged_by(opinion, shown) for shown in askings(ids, method, rng)]

        assert agreed_tiers(orders, ids) == judged_by(opinion, sorted(ids))
        assert agreed_pairs(orders, ids) == len(ids) * (len(ids) - 1) // 2

    @given(candidates, seeds, st.sampled_from(["whole", "pairs"]))
    def test_put_nothing_above_what_it_was_not_preferred_to(self, ids, rng, method):
        orders = [judged_by(lambda one: rng.randrange(4), shown) for shown in askings(ids, method, rng)]

        tiers = agreed_tiers(orders, ids)

        place = levels(tiers)
        assert sorted(place) == sorted(ids)
        assert all(
            preferred(orders, *((a, b) if place[a] < place[b] else (b, a))) == 1
            for a, b in combinations(ids, 2)
            if place[a] != place[b]
        )

    def test_of_a_circle_are_one_tier_above_what_all_beat(self):
        circle = [[[1], [2]], [[2], [3]], [[3], [1]], *([[one], [4]] for one in (1, 2, 3))]

        assert agreed_tiers(circle, [1, 2, 3, 4]) == [[1, 2, 3], [4]]


class TestAskings:
    @given(candidates, st.integers(0, 9))
    def test_show_all_in_an_order_of_the_seeds_and_its_reverse(self, ids, seed):
        first, second = askings(ids, "whole", random.Random(seed))

        assert sorted(first) == sorted(ids)
        assert second == first[::-1]
        assert askings(sorted(ids), "whole", random.Random(seed)) == [first, second]

    @given(candidates, seeds)
    def test_show_each_two_on_both_sides(self, ids, rng):
        asked = askings(ids, "pairs", rng)

        assert sorted(map(tuple, asked)) == sorted((a, b) for a in ids for b in ids if a != b)


class TestReadOrder:
    @pytest.mark.parametrize(
        ("reply", "tiers"),
        [
            ("It helps.\nORDER: B > A > C", [[8], [7], [9]]),
            ("**ORDER: C > A = B**", [[9], [7, 8]]),
            ("ORDER:A=B=C\nAs good as one another.", [[7, 8, 9]]),
            ("ORDER: B>A>C.", [[8], [7], [9]]),
        ],
    )
    def test_takes_one_whole_order(self, reply, tiers):
        assert read_order(reply, [7, 8, 9])[0] == tiers

    def test_keeps_the_reason(self):
        assert read_order("B is true.\nORDER: B > A\nThat is all.", [1, 2])[1] == "B is true.\nThat is all."

    @pytest.mark.parametrize(
        "reply",
        [
            "",
            "B is the best, then A, then C.",
            "ORDER: B > A",
            "ORDER: B > A > C > D",
            "ORDER: B > A > A",
            "ORDER: B > A > B > C",
            "ORDER: b > a > c",
            "ORDER: B, A, C",
            "ORDER: B > A > C or C > A > B",
            "ORDER: A > B > C\nORDER: C > B > A",
            "ORDER: A > B > C\nORDER: A > B > C",
            "order: B > A > C",
            "I say ORDER: B > A > C",
            "ORDER: B > > C",
            "ORDER: Α > В > С",  # Greek and Cyrillic look-alikes
            '{"order": ["B", "A", "C"]}',
        ],
    )
    def test_guesses_nothing(self, reply):
        assert read_order(reply, [7, 8, 9]) is None

    @given(st.text(max_size=200), candidates)
    def test_takes_any_text_without_breaking(self, reply, shown):
        read = read_order(f"ORDER: {reply}", shown)

        assert read is None or sorted(one for tier in read[0] for one in tier) == sorted(shown)
