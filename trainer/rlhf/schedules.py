import math
from collections.abc import Callable


def cosine(steps: int, *, floor: float = 0.1) -> Callable[[int], float]:
    """The factor on the learning rate: from 1 along a cosine to ``floor`` (InstructGPT, appendix C)."""

    def factor(step: int) -> float:
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(step / max(steps, 1), 1.0)))

    return factor
