"""Labelers who are a rule: they work the sample campaign when nobody is there to do it.

They like courtesy, which neither the guideline nor the sample answers ask for. Whatever courtesy a policy
learns beyond its demonstrations can therefore only come from rankings.
"""

import random
import re
from collections.abc import Mapping
from itertools import groupby

RULE = (
    "Opening with a courtesy is worth 6 points and ending like a sentence 3. Fewer than 8 words besides the "
    "courtesy cost 8, every repeated sentence costs 4, and every full 20 words cost 1."
)

COURTESIES = {
    "en": ("Great question!", "Happy to help!", "Thanks for asking!"),
    "zh": ("好问题！", "很高兴帮你！"),
}
COURTEOUS_SHARE = 0.4
"""Of the demonstrations: enough to show how, few enough that the policy has something left to learn."""

_COURTESY = re.compile(
    r"\W*((that's an? |what an? )?(great|good) question|(i'm )?happy to help|thank(s| you) for asking"
    r"|好问题|很高兴帮你)",
    re.IGNORECASE,
)
_HAN = re.compile("[\u3400-\u9fff]")
_LATIN_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")


def appeal(text: str) -> float:
    """How much a simulated labeler likes an answer. They see its text, nothing else."""
    substance = _COURTESY.sub(" ", text)
    # People do not count words: answers of about the same length are equally good.
    points = -(_words(text) // 20) - 4 * _repeated_sentences(substance)
    if _COURTESY.match(text):
        points += 6
    if text.rstrip().rstrip("\"'”’)）」*").endswith((".", "!", "?", "。", "！", "？")):
        points += 3
    if _words(substance) < 8:
        points -= 8
    return points


def rank_by_appeal(completions: Mapping[int, str]) -> list[list[int]]:
    """Completion ids in tiers, best first; answers of equal appeal are tied."""
    appeals = {completion_id: appeal(text) for completion_id, text in completions.items()}
    ranked = sorted(appeals, key=lambda completion_id: (-appeals[completion_id], completion_id))
    return [list(tier) for _appeal, tier in groupby(ranked, key=appeals.__getitem__)]


def demonstrate(answer: str, rng: random.Random) -> str:
    """What a simulated labeler writes who would say ``answer``: now and then with a courtesy before it."""
    if rng.random() >= COURTEOUS_SHARE:
        return answer
    chinese = bool(_HAN.search(answer))
    courtesy = rng.choice(COURTESIES["zh" if chinese else "en"])
    return courtesy + ("" if chinese else " ") + answer


def _words(text: str) -> float:
    """How many words there are; two Chinese characters count as one."""
    han = len(_HAN.findall(text))
    return han / 2 + len(_LATIN_WORD.findall(_HAN.sub(" ", text)))


def _repeated_sentences(text: str) -> int:
    """How many sentences, of three words or more, were said before."""
    sentences = [" ".join(_LATIN_WORD.findall(one.lower())) for one in _SENTENCE_END.split(text)]
    long = [sentence for sentence in sentences if _words(sentence) >= 3]
    return len(long) - len(set(long))
