"""The images build, and the stack comes up in them: where a Docker engine runs that has the base images."""

import os
import re
import secrets
import shutil
import subprocess

import pytest

from tests.config.processes import wait_until
from tests.config.test_deployment import DOCKERFILE, ROOT, SERVICES

THEIRS = {service["image"] for service in SERVICES.values() if not service["image"].startswith("rankwright-")}
BASES = sorted(THEIRS | set(re.findall(r"^FROM (\S+:\S+)", DOCKERFILE, re.MULTILINE)))
SECONDS_TO_START = 300
READY = (
    "from urllib.request import urlopen as ask; print(ask('http://127.0.0.1:8000/readyz').read().decode())"
)
ALONE = ["docker", "run", "--rm", "--network", "none", "--read-only"]
ENVIRONMENT = {
    **os.environ,
    "COMPOSE_PROJECT_NAME": "rankwright-tested",
    "RANKWRIGHT_VERSION": "tested",
    "RANKWRIGHT_DOMAIN": "labels.example.org",
    "RANKWRIGHT_TLS": "tls internal",
    "RANKWRIGHT_SECRET_KEY": secrets.token_urlsafe(50),
    "POSTGRES_PASSWORD": secrets.token_hex(16),
    "REDIS_PASSWORD": secrets.token_hex(16),
}


def run(*command):
    return subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)


def compose(*arguments):
    has_plugin = run("docker", "compose", "version").returncode == 0
    return run(*(["docker", "compose"] if has_plugin else ["docker-compose"]), *arguments)


@pytest.fixture(scope="module", autouse=True)
def engine():
    if not shutil.which("docker") or run("docker", "info").returncode:
        pytest.skip("no Docker engine answers here")
    if absent := [image for image in BASES if run("docker", "image", "inspect", image).returncode]:
        pytest.skip(f"the engine lacks {', '.join(absent)}")


@pytest.fixture(scope="module", params=["web", "gpu"])
def image(request):
    name = f"rankwright-{request.param}:tested"
    built = run("docker", "build", "--network", "host", "--target", request.param, "--tag", name, ".")
    assert built.returncode == 0, (built.stdout + built.stderr)[-3000:]
    return name


class TestAnImage:
    def test_runs_as_nobody_in_particular(self, image):
        seen = run(*ALONE, "--entrypoint", "id", image, "-u")

        assert seen.stdout.strip() == "10001"

    def test_has_what_its_processes_import(self, image):
        needed = "config.wsgi, trainer.rlhf.sft" if "gpu" in image else "config.wsgi"

        imported = run(*ALONE, "--entrypoint", "python", image, "-c", f"import {needed}")

        assert imported.returncode == 0, imported.stderr

    @pytest.mark.parametrize("image", ["web"], indirect=True)
    def test_comes_up_with_all_that_it_needs(self, image):
        def ready():
            answer = compose("exec", "-T", "web", "python", "-c", READY)
            return answer.stdout if answer.returncode == 0 else None

        try:
            started = compose("up", "-d", "web", "worker", "beat")
            answer = wait_until(ready, SECONDS_TO_START) if started.returncode == 0 else started.stderr
        finally:
            compose("down", "--volumes")

        assert '"database": "ok", "broker": "ok", "workers": "ok"' in answer


class TestTheProxy:
    def test_understands_its_file(self):
        file = "/etc/caddy/Caddyfile"
        mounted = ["--volume", f"{ROOT / 'config' / 'Caddyfile'}:{file}:ro"]
        names = ["--env", "RANKWRIGHT_DOMAIN", "--env", "RANKWRIGHT_TLS"]
        check = ["caddy", "validate", "--config", file, "--adapter", "caddyfile"]

        checked = run(*ALONE, "--tmpfs", "/data", *mounted, *names, SERVICES["proxy"]["image"], *check)

        assert checked.returncode == 0, checked.stderr
