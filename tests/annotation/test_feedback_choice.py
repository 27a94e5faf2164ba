import random
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.abuse import Abuse, Act, abuse_in
from annotation.fair_shares import fair_limit
from annotation.feedback_choice import Feedback, LeftOut, Says, choose, worth_ranking
from tests.conftest import NOON

WORDS = ["tea", "rice", "soup"]
counts = st.lists(st.integers(1, 200), max_size=30)
percents = st.integers(1, 100)


@st.composite
def feedback(draw):
    """Of few people about few things, so that much of it says the same."""
    number = draw(st.integers(0, 10**6))
    source, says, texts = draw(
        st.sampled_from(
            [
                ("thumb", [Says.UP, Says.DOWN], 1),
                ("side_by_side", [Says.FIRST, Says.SECOND, Says.TIE], 2),
                ("better_answer", [Says.INSTEAD], 1),
                ("edited", [Says.DOWN], 1),
            ]
        )
    )
    return Feedback(
        source=source,
        message_id=number,
        person_id=draw(st.integers(1, 6)),
        given_at=NOON + timedelta(minutes=draw(st.integers(0, 3000))),
        conversation=(("user", draw(st.sampled_from(WORDS))),),
        texts=tuple(draw(st.permutations(WORDS))[:texts]),
        says=draw(st.sampled_from(says)),
        is_weak=source == "edited",
        is_usable=draw(st.integers(0, 9)) > 0,
    )


crowds = st.lists(feedback(), max_size=60, unique_by=lambda one: one.key)


def mentions_rice(messages):
    return any("rice" in message["content"] for message in messages)


class TestChoosing:
    @given(crowds, percents, st.randoms(use_true_random=False))
    def test_does_not_depend_on_the_order(self, given_feedback, percent, rng):
        shuffled = random.Random(rng.random()).sample(given_feedback, len(given_feedback))

        assert choose(given_feedback, percent=percent, finds=mentions_rice) == choose(
            shuffled, percent=percent, finds=mentions_rice
        )

    @given(crowds, percents)
    def test_takes_or_leaves_out_each_piece_once(self, given_feedback, percent):
        choice = choose(given_feedback, percent=percent, finds=mentions_rice)

        told = [*choice.taken, *(one for some in choice.left_out.values() for one in some)]
        assert Counter(one.key for one in told) == Counter(one.key for one in given_feedback)
        assert not any(mentions_rice(one.messages) for one in choice.taken)
        assert all(one.is_usable for one in choice.taken)

    @given(crowds, percents)
    def test_takes_no_more_of_anybody_than_their_share(self, given_feedback, percent):
        choice = choose(given_feedback, percent=percent, finds=lambda messages: False)

        for source in {one.source for one in choice.taken}:
            had = Counter(one.person_id for one in choice.taken if one.source == source)
            most = max(had.values())
            assert 100 * most <= percent * had.total() or most <= had.total() / len(had)

    @given(crowds)
    def test_what_was_taken_is_taken_again(self, given_feedback):
        once = choose(given_feedback, percent=100, finds=lambda messages: False)

        again = choose(once.taken, percent=100, finds=lambda messages: False)

        dropped = [one for one in once.taken if one not in again.taken]
        assert not [one for one in dropped if one not in again.left_out.get(LeftOut.SHARE, [])]

    @given(crowds)
    def test_no_person_says_the_same_twice(self, given_feedback):
        taken = choose(given_feedback, percent=100, finds=lambda messages: False).taken

        answers = [(one.person_id, one.conversation, frozenset(one.texts)) for one in taken if one.is_weak]
        assert len(answers) == len(set(answers))

    @given(crowds)
    def test_prompts_are_worth_ranking_only_for_what_was_taken(self, given_feedback):
        taken = choose(given_feedback, percent=100, finds=lambda messages: False).taken

        assert worth_ranking(taken) <= {one.prompt_digest for one in taken}
        assert worth_ranking(one for one in taken if one.is_weak) == set()


class TestFairLimit:
    @given(counts, percents)
    def test_is_the_largest_that_keeps_to_the_share(self, had, percent):
        def keeps(limit):
            taken = sum(min(count, limit) for count in had)
            return 100 * limit <= percent * taken or len(had) * limit <= taken

        limit = fair_limit(had, percent)

        assert keeps(limit)
        assert not any(keeps(more) for more in range(limit + 1, max(had, default=0) + 1))

    @given(counts, percents)
    def test_gives_everybody_something(self, had, percent):
        assert (fair_limit(had, percent) >= 1) == bool(had)

    def test_cuts_who_speaks_for_all(self):
        assert fair_limit([1000] + [2] * 20, 10) == 4

    def test_takes_all_of_many_who_say_as_much(self):
        assert fair_limit([7] * 200, 1) == 7


class TestAbuse:
    @staticmethod
    def acts(count, *, apart, text="{}", up=(True, False)):
        return [
            Act(NOON + number * apart, text.format(number), up[number % len(up)]) for number in range(count)
        ]

    @pytest.mark.parametrize(
        ("acts", "sign"),
        [
            ({"count": 10, "apart": timedelta(hours=1), "text": "vote  Me"}, Abuse.SAME_TEXT),
            ({"count": 30, "apart": timedelta(minutes=1), "up": [True]}, Abuse.ONE_WAY),
            ({"count": 30, "apart": timedelta(minutes=1), "up": [False]}, Abuse.ONE_WAY),
            ({"count": 20, "apart": timedelta(seconds=2)}, Abuse.BURST),
        ],
    )
    def test_is_seen(self, acts, sign):
        assert abuse_in(self.acts(**acts)) == sign

    @pytest.mark.parametrize(
        "acts",
        [
            {"count": 9, "apart": timedelta(hours=1), "text": "thanks"},
            {"count": 200, "apart": timedelta(minutes=5), "up": [True]},
            {"count": 200, "apart": timedelta(seconds=10)},
        ],
    )
    def test_is_not_seen_in_people_who_are_busy_or_pleased(self, acts):
        assert abuse_in(self.acts(**acts)) is None

    @given(st.integers(0, 50), st.randoms(use_true_random=False))
    def test_does_not_depend_on_the_order(self, count, rng):
        acts = self.acts(count, apart=timedelta(seconds=2.9))
        shuffled = list(acts)
        rng.shuffle(shuffled)

        assert abuse_in(acts) == abuse_in(shuffled)
