"""Where a part is measured: a copy of seeded data, the database under it, and the product's own servers."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import ROOT
from benchmarks.judgements.postgres import Postgres, running_postgres
from benchmarks.judgements.seeds import Seed, digest_of_seeding
from benchmarks.judgements.servers import free_port, running, say, wait_for
from config.bootstrap import VAR

BENCH = VAR / "bench"
SCALE = float(os.environ.get("BENCH_SCALE") or 1)
DATABASES = tuple((os.environ.get("BENCH_DATABASES") or "sqlite,postgres").split(","))
WEB_PROCESSES, WEB_THREADS = 4, 4


def scaled(count: int) -> int:
    return max(1, round(count * SCALE))


@dataclass(frozen=True)
class Place:
    """A folder and a database of its own."""

    kind: str
    folder: Path
    database_url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        ours = {
            "RANKWRIGHT_VAR": str(self.folder),
            "RANKWRIGHT_DATABASE_URL": self.database_url,
            "RANKWRIGHT_BROKER_URL": f"redis+socket://{self.folder}/valkey.sock?virtual_host=0",
            "RANKWRIGHT_SECRET_KEY": "only-for-measuring-" + "x" * 40,
            "RANKWRIGHT_LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONUNBUFFERED": "1",
        }
        return {**os.environ, **ours}

    def desk(self, function: str, **arguments: Any) -> Any:
        """What a function of ours says that needs Django: it runs in a process of its own, in this place."""
        done = subprocess.run(
            self.desk_command(function, **arguments),
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return json.loads(done.stdout.splitlines()[-1])

    def desk_command(self, function: str, **arguments: Any) -> list[str]:
        return [sys.executable, "-m", "benchmarks.judgements.desk", function, json.dumps(arguments)]

    def manage(self, *command: str) -> str:
        call = [sys.executable, "manage.py", *command]
        return subprocess.run(
            call, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    @contextmanager
    def web(self) -> Iterator[int]:
        """The product's web server, on the port that comes back."""
        port = free_port()
        command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}"]
        command += ["--workers", str(WEB_PROCESSES), "--threads", str(WEB_THREADS)]
        with running(command, environment=self.environment, log=self.web_log) as server:
            wait_for(f"http://127.0.0.1:{port}/healthz", server, self.web_log)
            yield port

    @property
    def web_log(self) -> Path:
        return self.folder / "web.log"


@contextmanager
def place(kind: str, seed: Seed) -> Iterator[Place]:
    """A fresh copy of the seeded data, made where it is not there yet; gone afterwards."""
    folder = BENCH / "work" / f"{kind}-{os.getpid()}"
    with ExitStack() as stack:
        server = stack.enter_context(running_postgres(BENCH / "postgres")) if kind == "postgres" else None
        _make_seed(kind, seed, server)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if server:
            # Every part has the name to itself: one server, one part at a time.
            server.copy_database(_name(seed), "work")
            stack.callback(server.drop_database, "work")
            yield Place(kind, folder, server.url("work"))
        else:
            shutil.copyfile(_seed_file(seed), folder / "rankwright.sqlite3")
            yield Place(kind, folder)


def _make_seed(kind: str, seed: Seed, server: Postgres | None) -> None:
    """The data that parts copy, under a name that changes with what makes it."""
    name = _name(seed)
    folder = BENCH / "seeds" / f"{kind}-{name}"
    if (folder / "done").exists() and (server is None or server.has_database(name)):
        return
    say(f"seeding {seed.sets} candidate sets on {kind}; later runs reuse them")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if server:
        server.drop_database(name)
        server.create_database(name)
    there = Place(kind, folder, server.url(name) if server else "")
    there.manage("migrate", "--verbosity", "0")
    there.desk("seeding.fill", **seed.arguments())
    (folder / "done").touch()


def _name(seed: Seed) -> str:
    return f"{seed.name}_{seed.sets}_{digest_of_seeding()}"


def _seed_file(seed: Seed) -> Path:
    return BENCH / "seeds" / f"sqlite-{_name(seed)}" / "rankwright.sqlite3"
