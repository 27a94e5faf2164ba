"""Whatever people and models write, nothing in it runs, loads, leaves or takes the page along.

Each input is Markdown that tries something: it would call ``canary``, open a dialog, reach for another host
or go to another page. They stand wherever a text can stand, on the labelers' screens and in the admin.
"""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from annotation.actions.campaigns import publish_guideline
from annotation.actions.candidates import add_candidate_set
from annotation.actions.consents import give_consent, publish_consent_text
from annotation.actions.demonstrations import claim_demonstration, submit_demonstration
from annotation.actions.prompts import add_prompt
from annotation.models import Campaign, Demonstration, Ranking

INPUTS = [
    text
    for kind in json.loads(Path(__file__).with_name("hostile.json").read_text()).values()
    for text in kind
]
TOGETHER = 4
"""Inputs in one candidate: few, so that none hides in the open fence of another."""
MOST_CANDIDATES = 9

WATCH = """
window.fired = []
window.canary = (what) => { window.fired.push(`canary ${what}`) }
addEventListener('securitypolicyviolation', ({violatedDirective, blockedURI}) => {
  window.fired.push(`policy ${violatedDirective} ${blockedURI}`)
})
"""
# What no text may become, outside of formulas, which are drawn by us.
FOREIGN = (
    ":is(img, script, iframe, svg, style, form, input, button, object, embed, link, meta, base, video, audio,"
    " math, details, template, noscript, textarea, [id], [name], [style], [onclick], [onerror], [onload])"
    ":not(.katex, .katex *)"
)


def joined(texts):
    return "\n\n".join(texts)


def by(count, texts):
    return [texts[start : start + count] for start in range(0, len(texts), count)]


@pytest.fixture
def attack(ada, rhea):
    """A campaign in which every text is hostile, from the guideline to the reason of a return."""
    everything = joined(INPUTS)
    campaign = Campaign.objects.create(name="<script>canary(1)</script>", description=INPUTS[30])
    publish_guideline(campaign=campaign, text=everything, now=timezone.now())
    publish_consent_text(campaign=campaign, text=everything, now=timezone.now())
    for texts in by(MOST_CANDIDATES, [joined(few) for few in by(TOGETHER, INPUTS)]):
        prompt, _ = add_prompt(campaign=campaign, messages=[{"role": "user", "content": joined(texts)}])
        add_candidate_set(prompt=prompt, texts=[*texts, "Harmless."][:MOST_CANDIDATES])
    ada.first_name = "<img src=x onerror=canary(1)>"
    ada.save()
    rhea.is_staff = rhea.is_superuser = True
    rhea.save()
    return campaign


@pytest.fixture
def watch(visit):
    """A window that notes what fires in it, and where it goes by itself."""

    def open_window():
        visitor = visit()
        visitor.page.add_init_script(WATCH)
        visitor.page.context.on("page", lambda page: visitor.troubles.append(f"opened {page.url}"))
        return visitor

    return open_window


def unharmed(visitor, path):
    page = visitor.page
    page.wait_for_timeout(100)
    assert page.url == f"{visitor.address}{path}"
    assert page.evaluate("window.fired") == []
    assert page.locator(f".prose {FOREIGN}").evaluate_all("all => all.map(one => one.outerHTML)") == []
    links = page.locator(".prose a").evaluate_all(
        "all => all.map(one => [one.protocol, one.rel, one.target])"
    )
    assert {tuple(link) for link in links} <= {
        (protocol, "noopener noreferrer nofollow", "_blank") for protocol in ("http:", "https:", "mailto:")
    }


class TestHostileInputs:
    def test_are_many_and_each_is_another(self):
        assert len(set(INPUTS)) == len(INPUTS) >= 200

    def test_fire_nothing_on_the_screens_of_labelers(self, watch, ada, attack):
        visitor = watch()
        page, path = visitor.page, f"/app/rank/{attack.pk}"
        visitor.enter(ada, path)
        expect(page.locator(".prose")).not_to_have_count(0)
        unharmed(visitor, path)
        page.get_by_label("I have read this and agree").check()
        page.get_by_role("button", name="Agree").click()

        stored = 0
        while page.locator("article[data-candidate]:visible").count() or not stored:
            expect(page.locator("article[data-candidate]:visible").first).to_be_visible()
            count = page.locator("article[data-candidate]:visible").count()
            unharmed(visitor, path)
            visitor.press(*"123456789"[: count - 1])
            with page.expect_response(lambda response: response.url.endswith("/ranking")) as answered:
                visitor.press("Enter")
            assert answered.value.status == 201
            stored += 1
        visitor.press("l")
        expect(page.get_by_role("complementary", name="Guideline").locator(".prose")).to_be_visible()
        unharmed(visitor, path)

        path = f"/app/demonstrate/{attack.pk}"
        visitor.go(path)
        page.get_by_label("Turn 1").fill(joined(INPUTS))
        visitor.press("Control+Shift+p")
        expect(page.locator(".prose")).not_to_have_count(0)
        unharmed(visitor, path)
        assert stored == Ranking.objects.count() == attack.prompts.count()

    def test_fire_nothing_on_the_pages_of_reviewers_and_researchers(self, watch, ada, rhea, attack):
        demonstration = written(ada, attack)
        prompt = attack.prompts.earliest("pk")
        candidate_set = prompt.candidate_sets.get()
        visitor = watch()
        path = f"/app/review/{attack.pk}"
        visitor.enter(rhea, path)
        expect(visitor.page.get_by_role("region", name="Demonstration")).to_be_visible()
        unharmed(visitor, path)

        for row in (attack, prompt, candidate_set, demonstration, ada):
            kind = f"admin:{row._meta.app_label}_{row._meta.model_name}"
            for path in (reverse(f"{kind}_changelist"), reverse(f"{kind}_change", args=[row.pk])):
                visitor.go(path)
                unharmed(visitor, path)
        assert Demonstration.objects.get().turns[0]["content"] == joined(INPUTS)


def written(labeler, campaign):
    give_consent(campaign=campaign, labeler=labeler, version=1, now=timezone.now())
    demonstration = claim_demonstration(campaign=campaign, labeler=labeler)
    turns = [{"role": "assistant", "content": joined(INPUTS)}]
    submitted, _ = submit_demonstration(
        demonstration=demonstration,
        turns=turns,
        seconds_spent=60,
        idempotency_key=uuid4(),
        now=timezone.now(),
    )
    return submitted
