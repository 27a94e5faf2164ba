"""The product as ``make run`` starts it: people rank, an admin trains, new answers come to be ranked."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from annotation.actions.sample import sample_answers
from tests.browser.visitor import Visitor
from tests.tiny_model import make_tiny_model

PROJECT = Path(__file__).resolve().parents[2]
SECONDS = 1000


@pytest.fixture
def var(tmp_path):
    """A fresh var/ whose base model is a tiny one, under the name of the one that comes with the product."""
    (tmp_path / "var" / "models").mkdir(parents=True)
    make_tiny_model(tmp_path / "var" / "models" / "smollm2-135m-instruct", sample_answers().values())
    return tmp_path / "var"


@pytest.fixture
def address(var):
    """Where the services of a running product answer."""
    environment = {**os.environ, "RANKWRIGHT_VAR": str(var), "OMP_NUM_THREADS": "1"}
    for command in (["migrate", "-v0"], ["load_sample", "-v0"]):
        subprocess.run([sys.executable, "manage.py", *command], cwd=PROJECT, env=environment, check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    product = subprocess.Popen(
        [sys.executable, "-m", "config.supervise", "serve", str(port)],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert product.stdout is not None
    # Its last line comes when everything answers.
    assert any("Ctrl-C" in line for line in product.stdout)
    yield f"http://localhost:{port}"
    product.send_signal(signal.SIGTERM)
    assert product.wait(30) == 0


@pytest.fixture
def visit(chromium, address):
    visitors = []

    def open_window():
        context = chromium.new_context(
            viewport={"width": 1366, "height": 768}, locale="en-US", service_workers="block"
        )
        visitors.append(Visitor(context.new_page(), address))
        return visitors[-1]

    yield open_window
    assert not any(visitor.troubles for visitor in visitors), [visitor.troubles for visitor in visitors]


def password_of(var, username):
    accounts = json.loads((var / "accounts.json").read_text())
    return next(account["password"] for account in accounts if account["username"] == username)


def shown_answers(labeler):
    cards = labeler.page.locator("article[data-candidate]:visible")
    expect(cards).to_have_count(4)
    return [card.inner_text() for card in cards.all()]


def rank_one(labeler):
    shown_answers(labeler)
    labeler.press("1", "2", "3")
    with labeler.page.expect_response(re.compile("/ranking$")) as answered:
        labeler.press("Enter")
    assert answered.value.status == 201


class TestFlywheel:
    def test_turns(self, visit, var):
        labeler, admin = visit(), visit()

        labeler.sign_in("ada", password_of(var, "ada"), path="/app/")
        labeler.page.get_by_role("link", name="Rank – Everyday help").click()
        for _ in range(6):
            rank_one(labeler)

        admin.go("/admin/")
        admin.page.get_by_label("Username").fill("admin")
        admin.page.get_by_label("Password").fill(password_of(var, "admin"))
        admin.page.get_by_role("button", name=re.compile("log in|sign in", re.IGNORECASE)).click()
        admin.page.get_by_role("link", name="Run the whole loop").first.click()
        admin.page.get_by_role("button", name="Run the loop").click()
        expect(admin.page.get_by_text("The loop is queued")).to_be_visible()
        start = admin.page.url
        for kind in ("Supervised (SFT)", "Reward model", "Policy (PPO)", "Sample candidates"):
            admin.go("/admin/trainer/run/")
            admin.page.get_by_role("link", name=re.compile(re.escape(kind))).first.click()
            # Followed without a reload.
            expect(admin.page.locator("[data-run=status]").first).to_have_text(
                "Succeeded", timeout=120 * SECONDS
            )

        admin.page.goto(start)
        expect(admin.page.get_by_role("status")).to_have_text(re.compile("Succeeded"))
        expect(admin.page.locator(".desk-stages li")).to_have_count(4)

        # By line feeds alone: a tiny model also says other signs that Python takes for the end of a line.
        said = (var / "runs" / "4" / "attempt-1" / "samples.jsonl").read_text().rstrip("\n").split("\n")
        fresh = {json.loads(line)["completion"] for line in said}
        # What the window had fetched before comes first.
        for _ in range(3):
            if any(answer for answer in fresh if answer and answer in " ".join(shown_answers(labeler))):
                break
            rank_one(labeler)
        else:
            pytest.fail("The new policy's answers did not come to be ranked.")
