"""Texts that are made to freeze whoever reads, formats or lays them out, each as long as a text may be."""

from collections.abc import Callable

LENGTH = 100_000
READ = 60_000
"""Longer ones are not read as Markdown at all, so most are as long as what is just read."""


def fill(sign: str, length: int = READ) -> str:
    return (sign * (length // len(sign) + 1))[:length]


def fenced(language: str, code: str, length: int = 20_000) -> str:
    return f"```{language}\n{fill(code, length)}\n```"


TEXTS: dict[str, Callable[[], str]] = {
    "brackets": lambda: fill("["),
    "bracket pairs": lambda: fill("[", READ // 2) + fill("]", READ // 2),
    "images": lambda: fill("![[]()"),
    "destinations": lambda: fill("[a](<b"),
    "emphasis": lambda: fill("*a_ "),
    "nested emphasis": lambda: fill("*a **b ", READ // 2) + fill(" a* b**", READ // 2),
    "stars": lambda: fill("a**b"),
    "quotes": lambda: fill("> "),
    "stairs of quotes": lambda: "\n".join("> " * (step % 90) + "a" for step in range(600))[:READ],
    "lists": lambda: fill("- "),
    "stairs of lists": lambda: "\n".join("  " * step + "- a" for step in range(240))[:READ],
    "numbered": lambda: fill("1. "),
    "backticks": lambda: "".join("e" + "`" * size for size in range(340))[:READ],
    "dollars": lambda: fill("$a "),
    "open formulas": lambda: fill("\\("),
    "formula blocks": lambda: fill("$$ a\n"),
    "angles": lambda: fill("<"),
    "entities": lambda: fill("&amp;"),
    "headings": lambda: fill("# a\n"),
    "lines": lambda: fill("a\n"),
    "empty lines": lambda: "a" + fill("\n", READ - 2) + "a",
    "table, 10,000 rows": lambda: "|a|b|\n|-|-|\n" + fill("|c|d|\n", READ - 20),
    "table, 10,000 columns": lambda: fill("|a", READ // 2) + "\n" + fill("|-", READ // 2 - 1),
    "references": lambda: "[a]: https://example.org\n\n" + fill("[a]", READ - 30),
    "addresses": lambda: fill("http://a.bc/ "),
    "code spans": lambda: fill("`a` "),
    "small formulas": lambda: fill("$x$ "),
    "one long line": lambda: fill("a", LENGTH),
    "one long line of Chinese": lambda: fill("面", LENGTH),
    "words": lambda: fill("flat soup ", LENGTH),
    "signs unseen": lambda: fill("\u200b\u200c"),
    "piled marks": lambda: fill("a" + "\u0301" * 400),
    "one pile of marks": lambda: "a" + fill("\u0301", LENGTH - 1),
    "right to left and back": lambda: fill("a\u202eb\u202c"),
    "emoji joined": lambda: fill("👩\u200d"),
    "formula of braces": lambda: f"$${fill('{', 4_900)}x{fill('}', 4_900)}$$",
    "formula of fractions": lambda: f"$${fill(chr(92) + 'frac{', 4_900)}x{fill('}{y}', 4_900)}$$",
    "formula of roots": lambda: f"$${fill(chr(92) + 'sqrt ', 9_900)}$$",
    "formula of indices": lambda: f"$${fill('x^', 9_900)}x$$",
    "formula of one length": lambda: f"$${fill('x+', 9_900)}x$$",
    "formula of a matrix": lambda: f"$$\\begin{{matrix}}{fill('x&', 9_800)}\\end{{matrix}}$$",
    "formula of macros": lambda: "$$\\def\\a{xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}" + fill("\\a", 440) + "$$",
    "formula that doubles": lambda: "$$\\def\\a{x}" + fill("\\edef\\a{\\a\\a}", 400) + "\\a$$",
    "code of quotes": lambda: fenced("javascript", '"'),
    "code of slashes": lambda: fenced("javascript", "/"),
    "code of brackets": lambda: fenced("javascript", "(a=>{"),
    "code of markup": lambda: fenced("xml", "<a "),
    "code of spaces": lambda: fenced("python", "a "),
    "code of words": lambda: fenced("cpp", "a::"),
    "code of templates": lambda: fenced("typescript", "`${"),
    "code of decorators": lambda: fenced("python", "@a("),
    "code of yaml": lambda: fenced("yaml", "- a: "),
    "code of shell": lambda: fenced("bash", "$("),
    "code of css": lambda: fenced("css", "a{"),
    "code of sql": lambda: fenced("sql", "'"),
    "code of go": lambda: fenced("go", "a<b>"),
    "code of java": lambda: fenced("java", "a<"),
    "code of rust": lambda: fenced("rust", "'a"),
    "code of diffs": lambda: fenced("diff", "+a\n"),
    "code of json": lambda: fenced("json", "["),
    "many fences": lambda: fill("```js\nlet a\n```\n"),
}
