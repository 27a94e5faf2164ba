"""Somebody at a browser window, and what the window complained about."""

import re
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.test import Client
from playwright.sync_api import Locator, Page, expect

from annotation.models import Person

AXE = Path(__file__).resolve().parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# Chromium says most of them by itself; this one names what was refused, and where.
TELL_VIOLATIONS = """addEventListener('securitypolicyviolation', (event) =>
    console.error('content security policy:', event.violatedDirective, event.blockedURI, event.sourceFile))"""


KNOW_THE_TOUR = """() => fetch("/api/me/preferences", {
    method: "PATCH",
    headers: {
        "Content-Type": "application/json",
        "X-CSRFToken": document.cookie.match(/csrftoken=([^;]*)/)[1],
    },
    body: JSON.stringify({ tour_seen: true }),
})"""


class Visitor:
    def __init__(self, page: Page, address: str, *, first_time: bool = False) -> None:
        self.page = page
        self.first_time = first_time
        self.address = address
        self.troubles: list[str] = []
        self.expected: list[str] = []
        page.add_init_script(TELL_VIOLATIONS)
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.troubles.append(f"page error: {error}"))
        page.on("dialog", self._note_dialog)
        page.on("request", self._note_request)

    def expect_console(self, pattern: str) -> None:
        """From now on the console may say this: the test provokes it."""
        self.expected.append(pattern)

    def go(self, path: str) -> None:
        self.page.goto(f"{self.address}{path}")

    def sign_in(self, username: str, password: str = "correct horse", path: str = "/app/") -> None:
        # Asking who is there answers 403 before the sign-in, and Chromium says so in the console.
        self.expect_console(r"403 \(Forbidden\)")
        self.go(path)
        self.page.get_by_label("User name").fill(username)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.menu).to_be_visible()
        if not self.first_time:
            self.page.evaluate(KNOW_THE_TOUR)
            self.go(path)

    @property
    def menu(self) -> Locator:
        """The button with the name of who is signed in; there is none for strangers."""
        return self.page.locator(".user")

    def sign_out(self) -> None:
        self.menu.click()
        with self.page.expect_navigation():
            self.page.locator("#user-menu button").last.click()
        expect(self.menu).to_have_count(0)

    def enter(self, person: Person, path: str) -> None:
        """Go there as somebody who signed in before."""
        client = Client()
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        self.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.address}])
        if not self.first_time:
            person.refresh_from_db(fields=["preferences"])
            person.preferences["tour_seen"] = True
            person.save(update_fields=["preferences"])
        self.go(path)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def barriers(self, within: str = "html", rules: Sequence[str] = ()) -> list[str]:
        """What axe finds against WCAG 2.2 AA, or against some of its own rules, on the page as it is now."""
        # Evaluated, not added as a tag: the content security policy would refuse the tag.
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text())
        found = self.page.evaluate(
            "([within, type, values]) => axe.run(within, {runOnly: {type, values}})",
            [within, "rule" if rules else "tag", list(rules) or LEVELS],
        )
        return [
            f"{violation['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]

    def _note_console(self, message) -> None:
        if message.type != "error" or any(re.search(pattern, message.text) for pattern in self.expected):
            return
        self.troubles.append(f"console: {message.text}")

    def _note_dialog(self, dialog) -> None:
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _note_request(self, request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.troubles.append(f"request: {request.url}")
