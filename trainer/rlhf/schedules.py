import math
import random
from collections.abc import Callable


def cosine(steps: int, *, floor: float = 0.1) -> Callable[[int], float]:
    """The factor on the learning rate: from 1 along a cosine to ``floor`` (InstructGPT, appendix C)."""

    def factor(step: int) -> float:
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(step / max(steps, 1), 1.0)))

    return factor


def shuffled_epochs(batches: int, epochs: int, seed: int) -> list[int]:
    """Which batch each step takes: every batch once an epoch, in another order each time."""
    rng = random.Random(seed)
    return [index for _ in range(epochs) for index in rng.sample(range(batches), batches)]
