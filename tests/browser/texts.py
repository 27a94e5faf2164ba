"""Texts to rank, with everything that Markdown has."""

PROMPTS = [
    "My lentil soup always tastes flat. I use onions, carrots, red lentils and water. What can I change "
    "tonight, without going to the shop again?",
    "Plan three quick dinners for a family of four that hates mushrooms.",
    "Explain to a ten-year-old why bread rises.",
]

ANSWERS = [
    "Flat soup usually lacks **salt, acid or browning**. Tonight you can:\n\n"
    "1. Brown the onions for ten minutes before any water goes in.\n"
    "2. Fry a spoon of tomato paste, if there is some, until it darkens.\n"
    "3. Salt in two steps, and taste each time.\n"
    "4. Finish with a splash of vinegar or lemon.\n\n"
    "Start with the vinegar: it takes five seconds and changes most.",
    "You could add salt.\n\nSoup is a dish that people have made for thousands of years all over the world, "
    "and there are many kinds. Lentils are a legume. They have protein and fiber. Carrots are a root "
    "vegetable. Onions are grown almost everywhere. I hope that this helps you to make a "
    "better soup tonight!",
    "Try this order:\n\n| step | why |\n| --- | --- |\n| toast cumin in oil | aroma |\n"
    "| onions until brown | depth |\n"
    "| lentils, water, salt | body |\n| lemon at the end | brightness |\n\n> Taste before you serve.",
    "I do not know. Buy stock cubes:\n\n```python\nsoup = water + cubes * 2\n```\n\nand see `man soup`, "
    "[salt](https://example.org/salt) and $c = \\frac{m}{V}$.\n\n$$\nE = mc^2\n$$\n\n- [x] \u200bdone",
]
