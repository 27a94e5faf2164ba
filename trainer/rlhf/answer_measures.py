"""What can be told of answers from their texts and scores alone."""

import math
import re
from collections.abc import Sequence
from statistics import fmean
from typing import Any

GRAM = 4

_REFUSALS = re.compile(
    r"\b(i('m| am) sorry,? but|i can(no|')t (help|assist|do|provide|comply|answer|fulfil)"
    r"|i('m| am) (unable|not able) to|as an ai( language)? model|i (won't|will not) (help|assist|provide))"
    r"|抱歉，?我(不能|无法)|我(不能|无法)(提供|帮助|协助|回答)|作为(一个|一名)?(人工智能|AI)",
    re.IGNORECASE,
)
_OPENING = 200


def is_refusal(text: str) -> bool:
    """Whether an answer opens with one of the usual phrases: rough, and good for comparing checkpoints."""
    return bool(_REFUSALS.search(text[:_OPENING].replace("’", "'")))


def repetition(text: str, gram: int = GRAM) -> float:
    """The share of n-grams that the same answer has used before: 1 − distinct / all (Welleck et al. 2020,
    "Neural text generation with unlikelihood training", seq-rep-n)."""
    grams = _grams(text, gram)
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def distinct(texts: Sequence[str], gram: int) -> float:
    """Different n-grams among all n-grams of all answers (Li et al. 2016, distinct-n)."""
    grams = [one for text in texts for one in _grams(text, gram)]
    return len(set(grams)) / len(grams) if grams else 0.0


def _grams(text: str, size: int) -> list[tuple[str, ...]]:
    # Words, and each Han character by itself.
    words = re.findall(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+", text.lower())
    return [tuple(words[start : start + size]) for start in range(len(words) - size + 1)]


def best_of_curve(
    proxies: Sequence[Sequence[float]], golds: Sequence[Sequence[float]] | None = None
) -> list[dict[str, Any]]:
    """How scores go when the best of more and more draws is taken by the first reward: the curve of Gao et
    al. 2022, "Scaling laws for reward model over-optimization", with √KL of best-of-n on its axis.

    proxies, golds  by prompt, the scores of its draws; every prompt has the same number of draws

    Each point is the mean over all choices of n among the draws, which is unbiased: the i-th best proxy of N
    is the best of C(i − 1, n − 1) of the C(N, n) choices, ranks counted from below.
    """
    draws = min(map(len, proxies), default=0)
    return [_point(n, draws, proxies, golds) for n in range(1, draws + 1)]


def _point(
    n: int, draws: int, proxies: Sequence[Sequence[float]], golds: Sequence[Sequence[float]] | None
) -> dict[str, Any]:
    weights = [math.comb(rank, n - 1) / math.comb(draws, n) for rank in range(draws)]

    def mean(scores: Sequence[Sequence[float]]) -> float:
        return fmean(
            sum(weight * score[index] for weight, index in zip(weights, _upwards(proxy), strict=True))
            for proxy, score in zip(proxies, scores, strict=True)
        )

    kl = math.log(n) - (n - 1) / n
    told = {"best_of": n, "sqrt_kl": round(math.sqrt(max(kl, 0.0)), 4), "score": round(mean(proxies), 4)}
    return {**told, **({"holdout_score": round(mean(golds), 4)} if golds else {})}


def _upwards(scores: Sequence[float]) -> list[int]:
    return sorted(range(len(scores)), key=scores.__getitem__)
