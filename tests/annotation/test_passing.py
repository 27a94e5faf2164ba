"""The law of practice, for any two orders of the same responses."""

from hypothesis import assume, given
from hypothesis import strategies as st

from annotation.comparisons import implied_comparisons
from annotation.passing import is_passed


@st.composite
def orders(draw, of=None):
    """Tiers and what is unacceptable, of two to nine responses."""
    names = draw(st.permutations(of or list(range(draw(st.integers(2, 9))))))
    levels = {name: draw(st.integers(0, len(names))) for name in names}
    levels = [[name for name in names if levels[name] == level] for level in range(len(names) + 1)]
    return [tier for tier in levels[:-1] if tier], levels[-1]


@st.composite
def pairs_of_orders(draw):
    answer = draw(orders())
    assume(implied_comparisons(*answer))
    return answer, draw(orders(of=named(answer)))


def named(order):
    return [name for tier in [*order[0], order[1]] for name in tier]


def renamed(order, names):
    return [[names[name] for name in tier] for tier in order[0]], [names[name] for name in order[1]]


class TestPassing:
    @given(pairs_of_orders())
    def test_is_what_saying_the_same_does(self, orders):
        answer, _ = orders

        assert is_passed(answer, answer)

    @given(pairs_of_orders())
    def test_is_never_what_saying_the_opposite_does(self, orders):
        (tiers, unacceptable), _ = orders
        opposite = [tier for tier in [unacceptable, *tiers[::-1]] if tier]

        assert not is_passed((tiers, unacceptable), (opposite, []))

    @given(pairs_of_orders(), st.randoms())
    def test_does_not_depend_on_what_responses_are_called(self, orders, random):
        answer, judgement = orders
        names = dict(zip(named(answer), random.sample(range(100, 200), len(named(answer))), strict=True))

        assert is_passed(answer, judgement) == is_passed(renamed(answer, names), renamed(judgement, names))

    @given(pairs_of_orders())
    def test_needs_an_order(self, orders):
        answer, _ = orders

        assert not is_passed(answer, ([named(answer)], []))
        assert not is_passed(answer, ([], []))

    def test_forgives_neighbours_of_four_and_nothing_of_three(self):
        assert is_passed(([[1], [2], [3], [4]], []), ([[2], [1], [3], [4]], []))
        assert not is_passed(([[1], [2], [3], [4]], []), ([[2], [1], [4], [3]], []))
        assert not is_passed(([[1], [2], [3]], []), ([[2], [1], [3]], []))

    def test_forgives_nothing_unacceptable_above_what_is_not(self):
        answer = [[1], [2], [3], [4]], [5]

        assert is_passed(answer, ([[1], [2], [4], [3]], [5]))
        assert not is_passed(answer, ([[1], [2], [3], [5]], [4]))
