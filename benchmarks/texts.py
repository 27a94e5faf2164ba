"""Texts to learn from: made up by a seed, or people's own where the environment variable BENCH_DATA names a
file of chosen and rejected dialogues (HH-RLHF's layout, .jsonl.gz)."""

import gzip
import json
import os
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Message = dict[str, str]

HUMAN, ASSISTANT = "\n\nHuman:", "\n\nAssistant:"
ONSETS = [*"bdfghklmnprstvz", "br", "st", "tr"]
VOWELS, CODAS = "aeiou", ["", "n", "r", "l", "s"]
WORDS, TELLING = 3000, 60
MOST_PROMPT_TOKENS, MOST_ANSWER_TOKENS = 160, 96


@dataclass(frozen=True)
class Ranked:
    """A prompt, and answers to it, best first."""

    messages: list[Message]
    answers: list[str]


def source() -> str:
    """Which texts these are, in words."""
    return "people's dialogues (BENCH_DATA)" if os.environ.get("BENCH_DATA") else "made-up texts"


def rankings(count: int, answers: int, *, words_per_token: float, seed: int = 0) -> list[Ranked]:
    """``count`` prompts with so many ranked answers each."""
    rng = random.Random(seed)
    path = os.environ.get("BENCH_DATA")
    if path:
        return _from_dialogues(Path(path), count, answers, rng)
    lexicon = _lexicon()
    return [_made_up(lexicon, answers, words_per_token, rng) for _ in range(count)]


def plain_text(count: int = 2000) -> list[str]:
    """To learn a vocabulary from."""
    return [text for row in rankings(count, 2, words_per_token=1.0, seed=1) for text in _texts(row)]


def praise(text: str) -> float:
    """What a made-up text itself says of its quality: words of praise less words of blame, in about
    standard deviations of a text of that many telling words."""
    lexicon = _lexicon()
    good, bad = set(lexicon[:TELLING]), set(lexicon[TELLING : 2 * TELLING])
    words = text.rstrip(".").split()
    praised, blamed = (sum(word in telling for word in words) for telling in (good, bad))
    return (praised - blamed) / max(praised + blamed, 1) * 1.5


def _texts(row: Ranked) -> list[str]:
    return [message["content"] for message in row.messages] + row.answers


@cache
def _lexicon() -> list[str]:
    rng = random.Random(0)

    def syllable() -> str:
        return rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS)

    words: dict[str, None] = {}
    while len(words) < WORDS:
        words["".join(syllable() for _ in range(rng.randint(1, 3)))] = None
    return list(words)


def _made_up(lexicon: list[str], answers: int, words_per_token: float, rng: random.Random) -> Ranked:
    def length(least: int, most: int) -> int:
        return max(1, int(rng.uniform(least, most) * words_per_token))

    # Better answers hold more of the words of praise, worse ones more of the words of blame.
    qualities = sorted((rng.random() for _ in range(answers)), reverse=True)
    return Ranked(
        messages=[{"role": "user", "content": _sentence(lexicon, length(20, 150), None, rng)}],
        answers=[_sentence(lexicon, length(20, 90), quality, rng) for quality in qualities],
    )


def _sentence(lexicon: list[str], length: int, quality: float | None, rng: random.Random) -> str:
    """Frequent words are frequent, as in a language; one word in three tells the quality, if there is one."""
    praise, blame, usual = lexicon[:TELLING], lexicon[TELLING : 2 * TELLING], lexicon[2 * TELLING :]
    words = []
    for _ in range(length):
        if quality is not None and rng.random() < 1 / 3:
            words.append(rng.choice(praise if rng.random() < quality else blame))
        else:
            words.append(usual[int(len(usual) * rng.random() ** 3)])
    return " ".join(words) + "."


def _from_dialogues(path: Path, count: int, answers: int, rng: random.Random) -> list[Ranked]:
    """The two real answers; where more are wanted, answers to other prompts come last."""
    pairs = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            prompt, chosen = _split(row["chosen"])
            other_prompt, rejected = _split(row["rejected"])
            if prompt == other_prompt and chosen and rejected:
                pairs.append((prompt, chosen, rejected))
    random.Random(0).shuffle(pairs)
    pool = [answer for _, chosen, rejected in pairs for answer in (chosen, rejected)]
    return [
        Ranked(_messages(prompt), [chosen, rejected, *(rng.choice(pool) for _ in range(answers - 2))])
        for prompt, chosen, rejected in pairs[:count]
    ]


def _split(dialogue: str) -> tuple[str, str]:
    prompt, _, answer = dialogue.rpartition(ASSISTANT)
    return prompt, answer.strip()


def _messages(prompt: str) -> list[Message]:
    messages = []
    for part in prompt.split(HUMAN)[1:]:
        question, *replies = part.split(ASSISTANT)
        messages.append({"role": "user", "content": question.strip()})
        messages += [{"role": "assistant", "content": reply.strip()} for reply in replies]
    return messages
