"""A real Chromium in which somebody ranks, and a watch inside its page."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
SIZE = {"width": 1366, "height": 768}

# From the moment at which the key went down (as the browser tells it) until what it changed has been painted:
# the first task after the frame. After a submit that frame is the first one that shows other candidates.
WATCH = """
window.paints = {key: [], submit: []}
const shown = () => [...document.querySelectorAll('article[data-candidate]')]
  .find((card) => card.checkVisibility())?.dataset.candidate
const afterPaint = (then) => requestAnimationFrame(() => {
  const channel = new MessageChannel()
  channel.port1.onmessage = then
  channel.port2.postMessage(0)
})
addEventListener('keydown', (event) => {
  const start = event.timeStamp
  const before = shown()
  const isSubmit = event.key === 'Enter'
  const look = () => {
    if (isSubmit && shown() === before) return requestAnimationFrame(look)
    afterPaint(() => window.paints[isSubmit ? 'submit' : 'key'].push(performance.now() - start))
  }
  isSubmit ? requestAnimationFrame(look) : look()
}, true)
window.longest = 0
new PerformanceObserver((list) => {
  for (const {duration} of list.getEntries()) window.longest = Math.max(window.longest, duration)
}).observe({type: 'longtask', buffered: true})
new PerformanceObserver((list) => { window.lcp = list.getEntries().at(-1).startTime })
  .observe({type: 'largest-contentful-paint', buffered: true})
"""


class Window:
    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.devtools: CDPSession = page.context.new_cdp_session(page)
        self.devtools.send("Performance.enable")
        self.requests: list[str] = []
        self.keys = 0
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, path: str) -> None:
        self.page.goto(f"{self.address}{path}")
        self.until_ready()

    def until_ready(self) -> None:
        """Formulas are set, and the next item waits behind this one."""
        self.until(
            "document.querySelectorAll('article[data-candidate]').length === 8"
            " && !document.querySelector('.prose .tex-block')"
        )
        # The browser has nothing left to do, as while somebody reads.
        self.page.evaluate("new Promise((done) => requestIdleCallback(done, {timeout: 2000}))")

    def press(self, key: str) -> None:
        self.keys += 1
        kind = "submit" if key == "Enter" else "key"
        before = self.page.evaluate("(kind) => window.paints[kind].length", kind)
        self.page.keyboard.press(key)
        self.until(f"window.paints.{kind}.length > {before}")

    def until(self, condition: str) -> None:
        # Playwright's own way of waiting evaluates a string in the page, which the content policy refuses.
        look = f"const look = () => ({condition}) ? done() : setTimeout(look, 10); look()"
        self.page.evaluate(f"new Promise((done) => {{ {look} }})")

    def rank(self) -> None:
        for key in ("1", "2", "3"):
            self.press(key)
        self.press("Enter")
        self.until_ready()

    def paints(self, kind: str) -> list[float]:
        """Milliseconds; forgotten once told."""
        told: list[float] = self.page.evaluate("(kind) => window.paints[kind].splice(0)", kind)
        return told

    def longest_task(self, path: str) -> float:
        """Milliseconds for which the page stood still at most, when it was shown and when it was scrolled."""
        self.page.goto(f"{self.address}{path}")
        self.until("document.querySelectorAll('article .prose[data-whole]').length >= 2")
        self.page.evaluate("new Promise((done) => setTimeout(done, 300))")
        self.page.evaluate("scrollTo(0, document.body.scrollHeight)")
        self.page.evaluate("new Promise((done) => setTimeout(done, 300))")
        longest: float = self.page.evaluate("window.longest")
        return longest

    def heap_mb(self) -> float:
        """What lives after a thorough collection."""
        for _ in range(3):
            self.devtools.send("HeapProfiler.collectGarbage")
        told: dict[str, Any] = self.devtools.send("Performance.getMetrics")
        metrics = {metric["name"]: metric["value"] for metric in told["metrics"]}
        return float(metrics["JSHeapUsedSize"]) / 1e6

    def slow_down(self, times: float) -> None:
        self.devtools.send("Emulation.setCPUThrottlingRate", {"rate": times})


@contextmanager
def chromium() -> Iterator[Any]:
    if CHROMIUM is None:
        raise SystemExit("no Chromium: apt-get install chromium, or set CHROMIUM to where one is")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@contextmanager
def window(browser: Any, address: str, seeded: dict[str, Any]) -> Iterator[Window]:
    """A window of its own, in which the labeler of the session is signed in."""
    context = browser.new_context(viewport=SIZE, locale="en-US")
    context.add_cookies([{"name": "sessionid", "value": seeded["session"], "url": address}])
    context.add_init_script(WATCH)
    yield Window(context.new_page(), address)
    context.close()
