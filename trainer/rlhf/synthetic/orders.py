"""What several orders of the same candidates agree on, and reading an order from a model's words."""

import random
import re
import string
from collections.abc import Sequence
from itertools import combinations

Tiers = list[list[int]]

_ORDER = re.compile(r"[*_`\s]*ORDER:[*_`\s]*([A-Z](?:\s*[>=]\s*[A-Z])*)[*_`.\s]*")
_BEGINS = re.compile(r"[*_`\s]*ORDER:")


def askings(candidates: Sequence[int], method: str, rng: random.Random) -> list[list[int]]:
    """The orders to ask in, each followed by its reverse: of all candidates, or of each two.

    Whoever likes what stands first, or last, says of every two the one thing and then the other. Of more than
    two, a liking for the middle survives the reverse; of each two asked on both sides, none does.
    """
    shuffled = sorted(candidates)
    rng.shuffle(shuffled)
    shown = [shuffled] if method == "whole" else [list(pair) for pair in combinations(shuffled, 2)]
    return [order for one in shown for order in (one, one[::-1])]


def letters_of(shown: Sequence[int]) -> str:
    return string.ascii_uppercase[: len(shown)]


def read_order(reply: str, shown: Sequence[int]) -> tuple[Tiers, str] | None:
    """The tiers and the reason; None unless exactly one line is an order, of each letter once."""
    lines = reply.splitlines()
    found = [place for place, line in enumerate(lines) if _BEGINS.match(line)]
    order = _ORDER.fullmatch(lines[found[0]]) if len(found) == 1 else None
    if order is None:
        return None
    tiers = [re.findall(r"[A-Z]", tier) for tier in order[1].split(">")]
    letters = letters_of(shown)
    if sorted(letter for tier in tiers for letter in tier) != list(letters):
        return None
    numbers = dict(zip(letters, shown, strict=True))
    reason = "\n".join(lines[: found[0]] + lines[found[0] + 1 :]).strip()
    return [[numbers[letter] for letter in tier] for tier in tiers], reason


def levels(tiers: Tiers) -> dict[int, int]:
    return {one: level for level, tier in enumerate(tiers) for one in tier}


def preferred(orders: Sequence[Tiers], one: int, other: int) -> int:
    """1: all orders that name both put ``one`` above, −1: below; 0: they differ, see a tie, or none does."""
    said = {
        (place[other] > place[one]) - (place[other] < place[one])
        for place in map(levels, orders)
        if one in place and other in place
    }
    return said.pop() if len(said) == 1 else 0


def agreed_pairs(orders: Sequence[Tiers], candidates: Sequence[int]) -> int:
    """Pairs of which all orders say the same, be it a tie."""
    places = list(map(levels, orders))
    return sum(
        len({(p[b] > p[a]) - (p[b] < p[a]) for p in places if a in p and b in p}) == 1
        for a, b in combinations(candidates, 2)
    )


def agreed_tiers(orders: Sequence[Tiers], candidates: Sequence[int]) -> Tiers:
    """The finest tiers in which nothing stands above what it is not preferred to by all orders.

    A tier ends where all that stands above the line is preferred to all that stands below: where orders
    differ, or turn round in circles, there is no line.
    """
    wins = {one: sum(preferred(orders, one, other) == 1 for other in candidates) for one in candidates}
    ranked = sorted(candidates, key=lambda one: (-wins[one], one))
    # Who is preferred to all below the line wins at least so often as there are; the others win less often.
    lines = [
        place
        for place in range(1, len(ranked))
        if all(preferred(orders, a, b) == 1 for a in ranked[:place] for b in ranked[place:])
    ]
    return [sorted(ranked[start:end]) for start, end in zip([0, *lines], [*lines, len(ranked)], strict=True)]
