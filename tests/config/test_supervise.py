"""Real services on a folder of their own: they come up, come back, and never outlive their supervisor."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from celery import Celery

from config import supervise
from tests.config.processes import descendants, free_port, is_alive, wait_until

ROOT = Path(__file__).resolve().parents[2]


class Product:
    """``python -m config.supervise serve``, started by a real make."""

    def __init__(self, var):
        self.var = var
        self.port = free_port()
        environment = {**os.environ, "RANKWRIGHT_VAR": str(var), "TMPDIR": str(var)}
        environment.pop("MAKELEVEL", None)
        makefile = var / f"Makefile.{self.port}"
        makefile.write_text(f"serve:\n\t@{sys.executable} -m config.supervise serve {self.port}\n")
        self.words = var / f"words.{self.port}"
        with self.words.open("wb") as words:
            self.make = subprocess.Popen(
                ["make", "-f", makefile, "serve"], cwd=ROOT, env=environment, stdout=words, stderr=words
            )

    def wait_for(self, words):
        wait_until(lambda: words in self.words.read_text() or self.make.poll() is not None)
        assert words in self.words.read_text()

    def family(self):
        return [self.make.pid, *descendants(self.make.pid)]

    def find(self, *words):
        """The pid of the child whose command line has all these words."""
        for pid in descendants(self.make.pid):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            if set(words) <= set(command):
                return pid
        return None

    def ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def workers(self):
        """The names of the workers that answer through the broker."""
        environment = Path(f"/proc/{self.find('beat')}/environ").read_bytes().decode().split("\0")
        broker = next(word for word in environment if word.startswith("RANKWRIGHT_BROKER_URL="))
        # Not the current app: that one is the product's.
        app = Celery(broker=broker.partition("=")[2], set_as_current=False)
        answers = app.control.ping(timeout=0.5)
        return {name.split("@")[0] for answer in answers for name in answer}


@pytest.fixture
def product(tmp_path_factory):
    # Not tmp_path: a socket's address may have 107 characters at most.
    started = Product(tmp_path_factory.mktemp("var"))
    yield started
    if started.make.poll() is None:
        started.make.terminate()
    started.make.wait(60)


class TestServing:
    def test_brings_everything_up_and_ends_when_make_is_interrupted(self, product):
        product.wait_for("Ctrl-C stops everything")
        wait_until(lambda: product.ready() == {"database": "ok", "broker": "ok", "workers": "ok"})
        wait_until(lambda: product.workers() == {"default", "gpu"})
        # Where a command in another terminal finds the broker.
        address = (product.var / "broker").read_text()
        assert Path(address.removeprefix("redis+socket:/").partition("?")[0]).exists()
        family = product.family()

        product.make.send_signal(signal.SIGINT)

        assert product.make.wait(120) == -signal.SIGINT
        # make, the supervisor, Valkey, two workers, beat, the model, the web server and its two workers
        assert len(family) == 10
        assert not list(filter(is_alive, family))
        assert not (product.var / "broker").exists()

    def test_takes_its_children_along_when_it_is_killed(self, product):
        product.wait_for("Ctrl-C stops everything")
        family = product.family()

        os.kill(product.find("config.supervise"), signal.SIGKILL)

        wait_until(lambda: not list(filter(is_alive, family)))

    def test_refuses_a_second_copy_and_goes_down_with_a_make_that_is_killed(self, product):
        wait_until(lambda: product.find("beat"))

        second = Product(product.var)

        assert second.make.wait(60) != 0
        assert "another Rankwright is already running" in second.words.read_text()
        assert product.find("beat")

        family = product.family()
        product.make.kill()

        wait_until(lambda: not list(filter(is_alive, family)))


@pytest.fixture
def sleeper(tmp_path, monkeypatch):
    monkeypatch.setattr(supervise, "VAR", tmp_path)
    service = supervise.Service("sleeper", ["sh", "-c", "sleep 600 & wait"], dict(os.environ))
    yield service
    service.ask_to_stop()
    service.wait_until_stopped()


class TestAService:
    def test_that_ends_by_itself_is_started_again(self, sleeper, monkeypatch, capsys):
        monkeypatch.setattr(supervise, "TOO_SOON_SECONDS", 0)
        first = sleeper.process
        first.kill()
        first.wait()

        sleeper.revive()

        assert sleeper.process.pid != first.pid
        assert is_alive(sleeper.process.pid)
        assert "sleeper was ended by SIGKILL; starting it again." in capsys.readouterr().out

    def test_that_ends_at_once_is_given_up_with_a_pointer_to_its_log(self, sleeper):
        sleeper.process.kill()
        sleeper.process.wait()

        with pytest.raises(supervise.Trouble, match=f"ended as soon as it had started; {sleeper.log_path}"):
            sleeper.revive()

    def test_leaves_no_grandchild(self, sleeper):
        grandchildren = wait_until(lambda: descendants(sleeper.process.pid))

        sleeper.ask_to_stop()
        sleeper.wait_until_stopped()

        wait_until(lambda: not any(map(is_alive, grandchildren)))

    def test_that_ignores_the_request_is_killed(self, tmp_path, monkeypatch):
        monkeypatch.setattr(supervise, "VAR", tmp_path)
        monkeypatch.setattr(supervise, "GRACE_SECONDS", 0.2)
        words = ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"]
        stubborn = supervise.Service("stubborn", words, dict(os.environ))
        wait_until(lambda: "deaf" in stubborn.log_path.read_text())

        stubborn.ask_to_stop()
        stubborn.wait_until_stopped()

        assert not is_alive(stubborn.process.pid)
