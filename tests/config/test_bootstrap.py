"""What make calls before anything is installed."""

import ast
import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from config import bootstrap
from tests.config.processes import descendants, free_port, is_alive, wait_until

DiskUsage = namedtuple("DiskUsage", "total used free")


@pytest.fixture(autouse=True)
def checkout(tmp_path, monkeypatch):
    """An empty folder of its own: no test here may touch the environment it runs in."""
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VAR", tmp_path / "var")
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(bootstrap, "UNFINISHED", tmp_path / ".venv" / ".unfinished")
    monkeypatch.setattr(bootstrap, "REQUIREMENTS", tmp_path)
    for name in ("lab", "dev"):
        (tmp_path / f"{name}.txt").write_text("asgiref==3.12.1 --hash=sha256:" + 64 * "0" + "\n")
    return tmp_path


@pytest.fixture
def no_network(monkeypatch):
    """A registry at an address where nobody answers, and nothing kept from before."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{free_port()}/simple")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_RETRIES", "0")
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def environment(checkout):
    """A whole virtual environment of an earlier version, as far as pip can tell."""
    bootstrap.PYTHON.parent.mkdir(parents=True)
    bootstrap.PYTHON.symlink_to(sys.executable)
    bootstrap.set_stamp("python", ["earlier pins"])
    return bootstrap.VENV


class TestAnOldPython:
    def test_can_read_the_file_that_refuses_it(self):
        source = Path(bootstrap.__file__).read_text()

        ast.parse(source, feature_version=(3, 6))

    def test_is_told_what_is_needed(self, monkeypatch):
        monkeypatch.setattr(bootstrap, "OLDEST_PYTHON", (99, 1))

        with pytest.raises(bootstrap.Trouble, match="needs 99.1 or newer"):
            bootstrap.check_python()

    def test_without_venv_is_told_how_to_get_it(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "ensurepip", None)

        with pytest.raises(bootstrap.Trouble, match="apt-get install python3-venv"):
            bootstrap.check_python()


class TestThePort:
    @pytest.mark.parametrize("port", ["0", "65536", "99999", "-5", "abc", ""])
    def test_that_does_not_exist_is_refused(self, port):
        with pytest.raises(bootstrap.Trouble, match="does not exist"):
            bootstrap.check_port(port)

    def test_that_is_taken_is_refused_with_another_to_try(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]

            with pytest.raises(bootstrap.Trouble, match=f"port {port} is taken"):
                bootstrap.check_port(str(port))

    def test_that_is_free_is_accepted(self):
        bootstrap.check_port(str(free_port()))


class TestTheFolder:
    def test_that_is_a_file_is_refused(self, checkout, monkeypatch):
        (checkout / "notes").write_text("not a folder")
        monkeypatch.setattr(bootstrap, "VAR", checkout / "notes" / "var")

        with pytest.raises(bootstrap.Trouble, match="nothing can be written"):
            bootstrap.check_folders()

    def test_with_too_little_disk_is_refused_before_anything_is_made(self, checkout, monkeypatch):
        monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda path: DiskUsage(9e9, 8e9, 1e9))

        with pytest.raises(bootstrap.Trouble, match="only 1.0 GB are free"):
            bootstrap.check_disk()

        assert not bootstrap.VENV.exists()

    def test_needs_little_disk_once_it_is_set_up(self, environment, monkeypatch):
        monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda path: DiskUsage(9e9, 8e9, 1e9))

        bootstrap.check_disk()

    def test_in_which_another_copy_runs_is_refused(self, checkout):
        bootstrap.check_nobody_else()
        with (bootstrap.VAR / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)

            with pytest.raises(bootstrap.Trouble, match="already running"):
                bootstrap.check_nobody_else()


class TestAStep:
    def test_that_fails_shows_its_words(self, capfd):
        with pytest.raises(bootstrap.Trouble, match='"tea" failed; its own words are above'):
            bootstrap.step("tea", ["sh", "-c", "echo the kettle is cold; exit 3"], python=None)

        assert "the kettle is cold" in capfd.readouterr().err

    def test_that_fills_the_disk_says_so(self):
        with pytest.raises(bootstrap.Trouble, match="the disk is full"):
            bootstrap.step("write", ["dd", "if=/dev/zero", "of=/dev/full", "count=1"], python=None)

    def test_ends_with_us(self):
        words = "from config.bootstrap import *; signal.signal(signal.SIGTERM, leave)\n"
        words += "try: step('sleep', ['sh', '-c', 'sleep 600 & wait'], python=None)\n"
        words += "except KeyboardInterrupt: sys.exit(130)"
        setup = subprocess.Popen([sys.executable, "-c", words], cwd=Path(__file__).parents[2])
        shell_and_sleep = wait_until(lambda: len(found := descendants(setup.pid)) == 2 and found)

        setup.send_signal(signal.SIGTERM)

        assert setup.wait(20) == 130
        assert not any(map(is_alive, shell_and_sleep))


class TestMaking:
    def test_happens_once_for_the_same_inputs(self, checkout):
        bootstrap.VENV.mkdir()
        cake = checkout / "cake"
        made = []

        def bake():
            made.append(cake.write_text("cake"))

        bootstrap.remake("cake", ["flour"], [cake], bake)
        bootstrap.remake("cake", ["flour"], [cake], bake)
        assert len(made) == 1

        bootstrap.remake("cake", ["flour", "milk"], [cake], bake)
        assert len(made) == 2

        cake.unlink()
        bootstrap.remake("cake", ["flour", "milk"], [cake], bake)
        assert len(made) == 3

    def test_that_was_interrupted_happens_again(self, checkout):
        bootstrap.VENV.mkdir()
        cake = checkout / "cake"
        bootstrap.remake("cake", ["flour"], [cake], lambda: cake.write_text("cake"))

        def drop():
            cake.write_text("half a cake")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            bootstrap.remake("cake", ["milk"], [cake], drop)
        bootstrap.remake("cake", ["flour"], [cake], lambda: cake.write_text("cake"))

        assert cake.read_text() == "cake"


class TestInstalling:
    def test_without_network_leaves_nothing_half_made(self, no_network, environment):
        (environment / "half-written").write_text("a package")
        bootstrap.UNFINISHED.touch()

        with pytest.raises(bootstrap.Unreachable, match="registry cannot be reached"):
            bootstrap.install("lab")

        assert not environment.exists()

    def test_new_pins_without_network_keeps_the_environment_that_works(self, no_network, environment):
        with pytest.raises(bootstrap.Unreachable):
            bootstrap.install("lab")

        assert bootstrap.is_fresh("python", ["earlier pins"])
        assert not bootstrap.UNFINISHED.exists()

    def test_takes_the_development_set_for_the_product_as_well(self, no_network, environment):
        pins = (bootstrap.REQUIREMENTS / "dev.txt").read_text()
        bootstrap.set_stamp("python", [bootstrap.TORCH, pins])

        bootstrap.install("lab")

        assert environment.exists()


class TestNode:
    @pytest.mark.parametrize(
        ("version", "can"),
        [
            ("v18.20.4", False),
            ("v20.18.3", False),
            ("v20.19.0", True),
            ("v22.12.0", False),
            ("v22.20.0", True),
            ("v23.5.0", False),
            ("v24.0.0", True),
            ("", False),
        ],
    )
    def test_builds_the_screens_only_in_these_versions(self, checkout, version, can):
        node = checkout / "node"
        node.write_text(f"#!/bin/sh\necho {version}\n")
        node.chmod(0o700)

        assert bootstrap.can_build(str(node)) is can
