"""The pictures of the docs, taken from the running product: ``python -m tests.screenshots [NAME …]``.

A server of its own with a few made-up items; Chromium and the built screens must be there.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.browser.window import CHROMIUM, OPTIONS
from benchmarks.figures import ROOT
from benchmarks.judgements.places import Place

IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 200_000
DESK = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}

PROMPT = (
    "My sourdough does not rise in winter: the kitchen is at 17 °C. How much longer should I wait, and can I "
    "tell from a formula rather than by looking?"
)
ANSWERS = [
    "Yeast works about **twice as fast for every 8 °C**. With $t_{25}$ the hours you need at 25 °C:\n\n"
    "$$\nt(T) = t_{25} \\cdot 2^{(25 - T)/8}\n$$\n\nAt 17 °C that is twice as long: 8 hours instead of 4. "
    "The formula tells when to *look*; the dough tells when to bake.\n\n"
    "1. Start with water of 30 °C.\n2. Keep the bowl in the oven, light on.\n"
    "3. Mark the level with a rubber band.",
    "Wait until it has doubled. Every flour is different, so a formula will not help you much. "
    "Winter bread takes patience!\n\nYou could also buy a proofing box, see "
    "[this test](https://example.org/proofing-boxes).",
    "| kitchen | first rise | in the fridge |\n| ---: | ---: | ---: |\n"
    "| 25 °C | 4 h | 10 h |\n| 21 °C | 6 h | 12 h |\n| 17 °C | 8 h | 14 h |\n\nOr compute it:\n\n"
    "```python\ndef hours(celsius: float, at_25: float = 4) -> float:\n"
    '    """Doubles for every 8 degrees below 25."""\n    return at_25 * 2 ** ((25 - celsius) / 8)\n```\n\n'
    "> Colder and longer tastes better, too.",
    "17 度确实偏冷：酵母的活性大约每低 8 度减半，所以时间要加倍，约 8 小时。\n\n"
    "Use more starter (30 % instead of 20 %) if you cannot wait.",
]
OTHER_PROMPTS = ["Explain to a ten-year-old why bread rises.", "Plan three quick dinners without mushrooms."]


def seed() -> dict[str, object]:
    """A campaign, and the session of the labeler who works in it."""
    from django.utils import timezone

    from annotation.actions.campaigns import publish_guideline
    from annotation.actions.candidates import add_candidate_set
    from annotation.actions.guidelines import acknowledge_guideline
    from annotation.actions.prompts import add_prompt
    from annotation.models import Campaign, Person
    from benchmarks.judgements.cast import sessions

    campaign = Campaign.objects.create(
        name="Kitchen", description="Everyday questions, asked by busy people."
    )
    publish_guideline(campaign=campaign, text="Be kind. Prefer what helps **tonight**.", now=timezone.now())
    for text in (PROMPT, *OTHER_PROMPTS):
        asked = [{"role": "user", "content": text}]
        prompt, _ = add_prompt(campaign=campaign, messages=asked, kind="question", language="en")
        add_candidate_set(prompt=prompt, texts=ANSWERS)
    ada = Person.objects.create_user("ada", first_name="Ada", preferences={"tour_seen": True})
    acknowledge_guideline(campaign=campaign, labeler=ada, version=1, now=timezone.now())
    return {"campaign": campaign.pk, "session": sessions(names=["ada"])["ada"]}


def home(page: Page, campaign: int) -> None:
    page.goto("/app/")
    expect(page.get_by_role("heading", name="Kitchen")).to_be_visible()


def half_ranked(page: Page, campaign: int) -> None:
    page.goto(f"/app/rank/{campaign}")
    expect(page.locator(".katex:visible").first).to_be_visible()
    expect(page.locator(".hljs-keyword:visible").first).to_be_visible()
    for key in ("1", "Shift+Digit3"):
        page.keyboard.press(key)


def demonstrated(page: Page, campaign: int) -> None:
    page.goto(f"/app/demonstrate/{campaign}")
    page.get_by_role("textbox").first.fill(
        "Keep the dough at **25 °C**: the oven with only its light on is about right."
    )


def asked_to_leave(page: Page, campaign: int) -> None:
    half_ranked(page, campaign)
    page.get_by_role("link", name="this test").click()
    expect(page.get_by_role("dialog")).to_be_visible()


Picture = tuple[Callable[[Page, int], None], dict[str, Any]]
PICTURES: dict[str, Picture] = {
    "rank": (half_ranked, {"viewport": DESK}),
    "rank-dark": (half_ranked, {"viewport": DESK, "color_scheme": "dark"}),
    "rank-zh": (half_ranked, {"viewport": DESK, "locale": "zh-CN"}),
    "rank-phone": (half_ranked, {"viewport": PHONE, "has_touch": True}),
    "link": (asked_to_leave, {"viewport": DESK}),
    "demonstrate": (demonstrated, {"viewport": DESK}),
    "home": (home, {"viewport": DESK}),
}


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        there = Place("sqlite", folder)
        there.manage("migrate", "--verbosity", "0")
        command = [sys.executable, "-m", "tests.screenshots", "--seed"]
        said = subprocess.run(
            command, cwd=ROOT, env=there.environment, capture_output=True, text=True, check=True
        )
        seeded = json.loads(said.stdout.splitlines()[-1])
        with there.web() as port, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
            for name in sys.argv[1:] or PICTURES:
                take(browser, f"http://127.0.0.1:{port}", seeded, name)
            browser.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def take(browser: Any, address: str, seeded: dict[str, Any], name: str) -> None:
    """:raises SystemExit: the picture is too large for a repository."""
    prepare, options = PICTURES[name]
    context = browser.new_context(**{"base_url": address, "locale": "en-US", **options})
    context.add_cookies([{"name": "sessionid", "value": seeded["session"], "url": address}])
    page = context.new_page()
    prepare(page, seeded["campaign"])
    page.evaluate("document.fonts.ready")
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path, animations="disabled", caret="hide")
    context.close()
    print(f"{path.relative_to(ROOT)} {path.stat().st_size // 1000} kB")
    if path.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{path.name} is larger than {MOST_BYTES // 1000} kB")


if __name__ == "__main__":
    if "--seed" in sys.argv:
        django.setup()
        print(json.dumps(seed()))
    else:
        main()
