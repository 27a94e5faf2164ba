"""The page without a network: it opens all the same, and goes on when the network is back."""

import os

from playwright.sync_api import expect

SHOTS = os.environ.get("SHOTS")
KEPT = """async () => {
    const { active } = await navigator.serviceWorker.ready
    const page = await caches.match('/app/', { ignoreVary: true })
    return active !== null && page !== undefined
}"""


class TestPage:
    def test_opens_without_a_network_and_goes_on_by_itself(self, visit, ada, kitchen):
        ada_here = visit(service_workers="allow")
        ada_here.sign_in("ada", "correct horse")
        page = ada_here.page
        page.wait_for_function(KEPT, timeout=20_000)
        page.reload()
        ada_here.expect_console("ERR_INTERNET_DISCONNECTED")
        page.context.set_offline(True)

        page.reload()

        expect(page.get_by_text("The server cannot be reached")).to_be_visible()
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/offline.png")
        page.context.set_offline(False)
        expect(page.get_by_role("heading", name="Hello, Ada")).to_be_visible(timeout=15_000)
