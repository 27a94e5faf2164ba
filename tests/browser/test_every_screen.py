"""One walk over all screens, in each language: nobody is shut out, nothing is untranslated, nothing is cut.

A new screen is a line in ``SCREENS``. What a window complains about, the content security policy included,
``visit`` asks for at the end.
"""

import os
import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation.actions.consents import publish_consent_text
from annotation.actions.demonstrations import claim_demonstration, submit_demonstration
from annotation.actions.invitations import Invitee, invite_people
from annotation.models import Assignment, Campaign, CandidateSet, Person

# Of keys, of the product, of people and of the other language; what else is English was forgotten.
NAMES = {
    *["Rankwright", "English", "Kitchen", "Terms", "Ada", "ada", "rosa", "Rosa", "rhea"],
    *["JSON", "Ctrl", "Alt", "Shift", "Enter", "Backspace", "Esc"],
}
WIDTHS = [320, 683]  # 683 is 1366 at 200 %.
# Another theme has other colors and nothing else.
THEMES = {"light": [], "dark": ["color-contrast"]}

SCREENS = [
    ("sign-in", None, "/app/", ""),
    ("join", None, "/app/join#{token}", ""),
    ("home", "ada", "/app/", ""),
    ("rank", "ada", "/app/rank/{kitchen}", ""),
    ("keys", "ada", "/app/rank/{kitchen}", "?"),
    ("guideline", "ada", "/app/rank/{kitchen}", "l"),
    ("skip", "ada", "/app/rank/{kitchen}", "s"),
    ("tour", "ada", "/app/tour", ""),
    ("practice", "ada", "/app/practice/{kitchen}", ""),
    ("demonstrate", "ada", "/app/demonstrate/{kitchen}", ""),
    ("preview", "ada", "/app/demonstrate/{kitchen}", "Control+Shift+p"),
    ("consent", "ada", "/app/rank/{terms}", ""),
    ("history", "ada", "/app/history", ""),
    ("guidelines", "ada", "/app/guidelines/{kitchen}", ""),
    ("chat", "ada", "/app/chat", ""),
    ("own-data", "ada", "/app/my-data", ""),
    ("settings", "ada", "/app/settings", ""),
    ("no-permission", "ada", "/app/review", ""),
    ("no-such-page", "ada", "/app/nowhere", ""),
    ("reviews", "rosa", "/app/review", ""),
    ("review", "rosa", "/app/review/{kitchen}", ""),
    ("adjudicate", "rosa", "/app/adjudicate/{kitchen}", ""),
]


@pytest.fixture
def desk(ada, kitchen):
    """Something to do for everybody, on every screen."""
    rosa = Person.objects.create_user("rosa", first_name="Rosa", role=Person.Role.REVIEWER)
    Campaign.objects.filter(pk=kitchen.pk).update(description="日常问题", offers_chat=True)
    terms = Campaign.objects.create(name="Terms")
    publish_consent_text(campaign=terms, text="我们保留你的排序。", now=timezone.now())
    submit_demonstration(
        demonstration=claim_demonstration(campaign=kitchen, labeler=ada),
        turns=[{"role": "assistant", "content": "先炒洋葱。"}],
        seconds_spent=60,
        idempotency_key=uuid4(),
        now=timezone.now(),
    )
    researcher = Person.objects.create_user("rhea", role=Person.Role.RESEARCHER)
    now = timezone.now()
    [invited] = invite_people(
        invitees=[Invitee()], by=researcher, expires_at=now + timedelta(days=7), now=now
    )
    Assignment.objects.create(
        candidate_set=CandidateSet.objects.latest("pk"),
        campaign=kitchen,
        purpose=Assignment.Purpose.ADJUDICATION,
    )
    return {
        "people": {"ada": ada, "rosa": rosa},
        "ids": {"kitchen": kitchen.pk, "terms": terms.pk, "token": invited.token},
    }


def show(visitor, desk, who, path, key):
    visitor.page.context.clear_cookies()
    visitor.page.set_viewport_size({"width": 1366, "height": 768})
    where = path.format(**desk["ids"])
    if who is None:
        visitor.go(where)
    else:
        visitor.enter(desk["people"][who], where)
    expect(visitor.page.locator("h1:visible").first).to_be_visible()
    expect(visitor.page.locator("[aria-busy=true]:visible")).to_have_count(0)
    if key:
        visitor.press(key)
        expect(visitor.page.locator("[role=dialog]:visible, .prose:visible").last).to_be_visible()


def picture(visitor, *name):
    """For whoever wants to look: where RANKWRIGHT_PICTURES names a folder."""
    if folder := os.environ.get("RANKWRIGHT_PICTURES"):
        visitor.page.screenshot(path=Path(folder) / f"{'-'.join(map(str, name))}.png")


@pytest.mark.parametrize(("language", "locale"), [("en", "en-US"), ("zh-Hans", "zh-CN")])
class TestEveryScreen:
    def test_shuts_nobody_out_and_says_everything_in_whole_words(self, visit, desk, language, locale):
        visitor = visit(locale=locale)
        visitor.expect_console(r"40[34] \((Forbidden|Not Found)\)")
        page = visitor.page
        found = []

        for name, who, path, key in SCREENS:
            show(visitor, desk, who, path, key)
            found += [(name, trouble) for trouble in wrong_words(page, language)]
            for theme, rules in THEMES.items():
                page.emulate_media(color_scheme=theme)
                expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", theme)
                found += [(name, theme, barrier) for barrier in visitor.barriers(rules=rules)]
                picture(visitor, name, language, theme)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 700})
                found += [(name, width, trouble) for trouble in cut(page, width)]
                picture(visitor, name, language, width)

        assert not found, "\n".join(map(str, found))


def wrong_words(page, language) -> list[str]:
    """What is not said in the page's language, or not at all."""
    wrong = [] if page.locator("html").get_attribute("lang") == language else ["html lang"]
    if not re.search(r"\w · Rankwright$", page.title()):
        wrong.append(f"title: {page.title()}")
    if language == "zh-Hans":
        words = {word for text in own_texts(page) for word in re.findall("[A-Za-z]{2,}", text)}
        wrong += [f"untranslated: {word}" for word in sorted(words - NAMES)]
    return wrong


def cut(page, width) -> list[str]:
    """What needs scrolling sideways, and which words are cut off."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    words = page.evaluate(
        """[...document.querySelectorAll('button, a, label, h1, h2, h3, p, legend')]
            .filter(e => e.checkVisibility() && e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1)
            .map(e => e.textContent.slice(0, 60))"""
    )
    return [*([f"{wide} wide"] if wide > width else []), *words]


def own_texts(page) -> list[str]:
    """The screen's own words: everything but what people and models wrote, and the language's own names."""
    return page.evaluate(
        """() => {
            const copy = document.body.cloneNode(true)
            const foreign = '.prose, [dir=auto], textarea, option, [lang], kbd, script, style'
            copy.querySelectorAll(foreign).forEach(e => e.remove())
            const labels = [...copy.querySelectorAll('[aria-label], [title], [placeholder]')]
                .flatMap(e => [e.ariaLabel, e.title, e.placeholder]).filter(Boolean)
            const walker = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT)
            while (walker.nextNode()) labels.push(walker.currentNode.textContent)
            return [document.title, ...labels]
        }"""
    )
