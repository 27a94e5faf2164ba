"""Figures of several seeds, and of what one way did better than another on the same seeds."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, stdev

from scipy.stats import t as student  # type: ignore[import-untyped]

from benchmarks.figures import Figure

Accuracies = Sequence[Mapping[str, float]]
"""For each seed, by the way it was done."""


def means(prefix: str, seeds: Accuracies) -> Iterator[Figure]:
    for way in seeds[0]:
        yield Figure(f"{prefix}_{way}_accuracy", fmean(seed[way] for seed in seeds), "share")


def difference(prefix: str, one: str, other: str, seeds: Accuracies) -> Iterator[Figure]:
    """The mean paired difference with its 95 % interval (Student's t), and how many seeds were above 0."""
    name = f"{prefix}_{one}_minus_{other}_accuracy"
    differences = [seed[one] - seed[other] for seed in seeds]
    mean = fmean(differences)
    yield Figure(name, mean, "share")
    if len(differences) > 1:
        reach = student.ppf(0.975, len(differences) - 1) * stdev(differences) / len(differences) ** 0.5
        yield Figure(f"{name}_low", mean - reach, "share")
        yield Figure(f"{name}_high", mean + reach, "share")
    yield Figure(f"{name}_seeds_above_0", sum(each > 0 for each in differences), "seeds")
