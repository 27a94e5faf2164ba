"""What times say together."""

from collections.abc import Sequence


def quantile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of the others do not exceed (the nearest one, never between two)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def milliseconds(seconds: Sequence[float], share: float) -> float:
    return 1000 * quantile(seconds, share)
