"""A real Chromium in front of the real server. Every test ends by asking what went wrong in the page."""

import os
import shutil
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import sync_playwright

from annotation.actions.campaigns import publish_guideline
from annotation.actions.candidates import add_candidate_set
from annotation.actions.prompts import add_prompt
from annotation.models import Campaign, Person
from tests.browser.texts import ANSWERS, PROMPTS
from tests.browser.visitor import Visitor

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        pytest.skip("No Chromium: apt-get install chromium, or set CHROMIUM to where one is.")
    if not (FRONTEND / "dist" / "index.html").exists():
        pytest.skip("The screens are not built: npm --prefix frontend ci && npm --prefix frontend run build")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, live_server):
    """Open a window of its own; at the end nothing in any of them may have gone wrong."""
    visitors = []

    def open_window(*, first_time=False, **options):
        context = chromium.new_context(
            **{
                "viewport": {"width": 1366, "height": 768},
                "locale": "en-US",
                # Each window has seen nothing yet, so each would fetch all of the app to keep it.
                "service_workers": "block",
                **options,
            }
        )
        context.set_default_timeout(5000)
        visitor = Visitor(context.new_page(), live_server.url, first_time=first_time)
        visitors.append(visitor)
        return visitor

    yield open_window
    troubles = [visitor.troubles for visitor in visitors]
    for visitor in visitors:
        visitor.page.context.close()
    assert not any(troubles), troubles


@pytest.fixture
def ada(transactional_db):
    return Person.objects.create_user("ada", password="correct horse", first_name="Ada")


@pytest.fixture
def rhea(transactional_db):
    return Person.objects.create_user("rhea", password="correct horse", role=Person.Role.RESEARCHER)


@pytest.fixture
def kitchen(transactional_db):
    """Three prompts, each with the same four answers to rank, and each waiting for a demonstration."""
    campaign = Campaign.objects.create(
        name="Kitchen", description="Everyday questions, asked by busy people."
    )
    publish_guideline(
        campaign=campaign, text="Be kind. **Prefer** the answer that helps.", now=timezone.now()
    )
    for text in PROMPTS:
        prompt, _ = add_prompt(
            campaign=campaign, messages=[{"role": "user", "content": text}], kind="question", language="en"
        )
        add_candidate_set(prompt=prompt, texts=ANSWERS)
    return campaign
