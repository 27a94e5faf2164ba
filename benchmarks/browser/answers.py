"""Long answers such as models write, each one different."""

import random

LENGTH = 4000

TEXT = """
    Flour, water, salt and yeast become a dough that has to rest until it is warm and full of bubbles. The
    oven must be hot before the loaf goes in, because steam keeps the crust thin while the crumb rises; after
    forty minutes it sounds hollow, and slices well once it is cold.
"""
WORDS = TEXT.split()
SENTENCES = (
    "先把面粉和水揉匀，再静置二十分钟，面筋会自己形成。",
    "酵母在三十度左右最活跃，温度过高反而会让它失去活性。",
    "烤箱要提前预热，蒸汽能让面包的外皮更薄、更脆。",
    "如果面团太黏，不要马上加面粉，先等十分钟再看看。",
)
FORMULAS = (
    r"V(t) = V_0 e^{kt}",
    r"\int_0^T \frac{k\,dt}{1 + e^{-\alpha (t - t_0)}}",
    r"\hat\theta = \arg\max_\theta \sum_{i=1}^{n} \log p(x_i \mid \theta)",
    r"\begin{pmatrix} a_{11} & a_{12} \\ a_{21} & a_{22} \end{pmatrix}",
)
CODE = (
    "```python\n"
    "def rise(dough: Dough, *, hours: float = {n}, warm: bool = True) -> Dough:\n"
    '    """Wait, and look again."""\n'
    "    for minute in range(int(hours * 60)):\n"
    "        if dough.volume > 2 * dough.start and not warm:\n"
    '            return dough.with_note(f"doubled after {{minute}} min")  # {word}\n'
    "    return dough\n"
    "```"
)


def answer(rng: random.Random) -> str:
    """About ``LENGTH`` characters."""
    parts = [paragraph(rng)]
    while sum(map(len, parts)) < LENGTH:
        parts += [
            f"## {rng.choice(WORDS).title()} and {rng.choice(WORDS)}",
            paragraph(rng),
            "\n".join(f"{place}. **{rng.choice(WORDS)}**: {words(rng, 9)}" for place in range(1, 5)),
            rng.choice(SENTENCES) + rng.choice(SENTENCES),
            f"$$\n{rng.choice(FORMULAS)}\n$$",
            table(rng),
            CODE.format(n=rng.randint(1, 9), word=rng.choice(WORDS)),
            f"> {words(rng, 14)} [{rng.choice(WORDS)}](https://example.org/{rng.randint(1, 999)})",
        ]
    return "\n\n".join(parts)


def paragraph(rng: random.Random) -> str:
    formula = f"$x_{{{rng.randint(1, 9)}}} \\le \\frac{{1}}{{{rng.randint(2, 9)}}}$"
    aside = f"*{rng.choice(WORDS)}* {formula}, `{rng.choice(WORDS)}()`"
    return f"{words(rng, 22).capitalize()}, {aside}; {words(rng, 20)}."


def table(rng: random.Random) -> str:
    rows = [f"| {rng.choice(WORDS)} | {rng.randint(1, 500)} g | {words(rng, 4)} |" for _ in range(6)]
    return "\n".join(["| what | how much | why |", "| --- | ---: | --- |", *rows])


def words(rng: random.Random, count: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(count))
