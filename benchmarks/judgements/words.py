"""Made-up conversations with the lengths that people's have: no two prompts alike, most of them English."""

import random
from collections.abc import Sequence
from itertools import product

LANGUAGES = ("en", "en", "en", "en", "en", "en", "en", "zh", "zh", "de")
SKILLS = ("", "", "", "", "", "", "", "", "code", "law")
KINDS = ("question", "how-to", "rewriting", "brainstorming", "summary")

_ASKED = {
    "en": (
        ("How do I", "What is the best way to", "Can you tell me how to", "Why is it so hard to"),
        ("repair", "explain", "choose", "compare", "plan", "measure", "store", "describe", "sell", "paint"),
        ("a bicycle", "a garden wall", "a small budget", "my old phone", "a wooden table", "a train journey"),
        ("for a beginner", "in one weekend", "without tools", "with little money", "before winter comes"),
    ),
    "de": (
        ("Wie kann ich", "Warum soll ich", "Wann muss ich", "Womit kann ich"),
        ("ein Fahrrad", "einen Garten", "eine Reise", "einen Tisch", "ein Zimmer"),
        ("am Wochenende", "ohne Werkzeug", "mit wenig Geld", "vor dem Winter"),
        ("planen", "bezahlen", "beschreiben", "vergleichen", "verkaufen"),
    ),
    "zh": (
        ("请告诉我怎么", "为什么很难", "有没有办法", "怎样才能"),
        ("修理", "选择", "比较", "计划", "介绍"),
        ("一辆自行车", "一个小花园", "一次旅行", "一张旧桌子", "一部手机"),
        ("而不花太多钱", "并且只用一个周末", "而不用工具", "在冬天以前"),
    ),
}
_ANSWERED = {
    "en": (
        ("First,", "In most cases,", "If you are not sure,", "After that,", "To be safe,", "In my view,"),
        (
            "look at",
            "write down",
            "set aside",
            "ask somebody about",
            "clean",
            "read about",
            "take a photo of",
        ),
        ("every part that moves", "what it has cost so far", "the three things that matter most to you"),
        ("and go on slowly.", "before you start.", "so that nothing is forgotten.", "and then wait a day."),
    ),
    "de": (
        ("Zuerst", "Danach", "Im Zweifel", "Wenn Sie Zeit haben,"),
        ("notieren Sie", "prüfen Sie", "fragen Sie jemanden nach"),
        ("alles, was sich bewegt,", "die Kosten", "den drei wichtigsten Dingen"),
        ("und warten einen Tag.", "bevor Sie beginnen.", "und fahren langsam fort."),
    ),
    "zh": (
        ("首先，", "然后，", "如果不确定，", "一般来说，"),
        ("请看看", "请写下", "请检查", "请问问别人"),
        ("每一个会动的部分", "到现在为止的费用", "最重要的三件事"),
        ("，再慢慢继续。", "，然后开始。", "，这样就不会忘记。"),
    ),
}


class Writer:
    """Writes the ``number``-th prompt and answers to it; the same number gives the same prompt."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.questions = {name: self._sentences(name, parts, "?") for name, parts in _ASKED.items()}
        self.answers = {name: self._sentences(name, parts, "") for name, parts in _ANSWERED.items()}

    def prompt(self, number: int, language: str) -> str:
        """Two questions that no other number has in this order, and how many people ask."""
        first, rest = self._pick(self.questions[language], number)
        second, rest = self._pick(self.questions[language], rest)
        people = {"en": "We are {} people.", "de": "Wir sind {} Leute.", "zh": "我们有{}个人。"}
        gap = "" if language == "zh" else " "
        return gap.join([first, second, people[language].format(rest + 1)])

    def answer(self, language: str) -> str:
        gap = "" if language == "zh" else " "
        return gap.join(self.rng.choices(self.answers[language], k=self.rng.randint(2, 7)))

    def _sentences(self, language: str, parts: Sequence[Sequence[str]], end: str) -> list[str]:
        gap = "" if language == "zh" else " "
        sentences = [gap.join(words) + end for words in product(*parts)]
        self.rng.shuffle(sentences)
        return sentences

    def _pick(self, sentences: list[str], number: int) -> tuple[str, int]:
        rest, position = divmod(number, len(sentences))
        return sentences[position], rest
