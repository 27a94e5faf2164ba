"""Do two machines train what one does? Two labs in two network namespaces, with a cable between them and
nothing else in common but the disk, beside two processes of one machine: the same bytes must come out.

Needs iproute2, and the right to make namespaces (root, or CAP_SYS_ADMIN and CAP_NET_ADMIN).
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from benchmarks.figures import ROOT, Figure
from benchmarks.lab import OFFLINE, ONE_THREAD, say
from config.bootstrap import VAR
from tests.tiny_model import make_tiny_model
from tests.trainer.rlhf.kitchen import TEXTS, Lab
from trainer.handoff.rundir import RunDirectory, digest_of_folder

SCRATCH = VAR / "benchmarks" / "namespaces"
KINDS = ("sft", "reward", "dpo")
ADDRESSES = ("10.231.7.1", "10.231.7.2")
PORT = 29531


def facts() -> dict[str, object]:
    return {"kinds": KINDS, "processes": 2}


def measure(part: str = "", repeats: int = 5) -> Iterator[Figure]:
    """``repeats`` are seeds."""
    kinds = [kind for kind in KINDS if part in ("", kind)]
    if not kinds:
        raise SystemExit(f"There is no part {part}; choose from {', '.join(KINDS)}.")
    shutil.rmtree(SCRATCH, ignore_errors=True)
    lab = Lab(SCRATCH, make_tiny_model(SCRATCH / "model", TEXTS, hidden=32, layers=3))
    mismatches, together, apart = 0, 0.0, 0.0
    with namespaces() as pair:
        for seed in range(repeats):
            for kind in kinds:
                one, taken = _together(lab.directory(kind, name=f"{kind}-{seed}-one", seed=seed))
                two, taken_apart = _apart(
                    [lab.directory(kind, name=f"{kind}-{seed}-{rank}", seed=seed) for rank in range(2)], pair
                )
                mismatches += one != two
                together, apart = together + taken, apart + taken_apart
                say(f"{kind}, seed {seed}: {'the same' if one == two else 'other'} bytes")
    runs = repeats * len(kinds)
    yield Figure("two_namespaces_runs", runs, "runs")
    yield Figure("two_namespaces_sha_mismatches", mismatches, "runs")
    yield Figure("two_namespaces_seconds", apart / runs, "s")
    yield Figure("two_processes_seconds", together / runs, "s")


@contextmanager
def namespaces() -> Iterator[list[str]]:
    """Two, each with an interface of its own name that is one end of the cable."""
    if not shutil.which("ip"):
        raise SystemExit("There is no ip command: install iproute2.")
    pair = [f"rw{os.getpid()}{end}" for end in "ab"]
    try:
        for name in pair:
            _ip("netns", "add", name)
        one, other = pair
        _ip("link", "add", one, "netns", one, "type", "veth", "peer", "name", other, "netns", other)
        for name, address in zip(pair, ADDRESSES, strict=True):
            _ip("-n", name, "address", "add", f"{address}/24", "dev", name)
            _ip("-n", name, "link", "set", name, "up")
            _ip("-n", name, "link", "set", "lo", "up")
        yield pair
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"No namespaces can be made here: {error.stderr.decode().strip()}") from error
    finally:
        for name in pair:
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "delete", name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def _together(directory: RunDirectory) -> tuple[str, float]:
    started = time.monotonic()
    _finish([_begin(directory, "--processes", "2")])
    return digest_of_folder(directory.result_path), time.monotonic() - started


def _apart(directories: Sequence[RunDirectory], pair: Sequence[str]) -> tuple[str, float]:
    """What the first one published; the other one only helps."""
    started, meet = time.monotonic(), f"{ADDRESSES[0]}:{PORT}"
    labs = []
    for rank, (directory, name) in enumerate(zip(directories, pair, strict=True)):
        # The machine's name stands for its loopback, which is another one in each namespace.
        inside = ("ip", "netns", "exec", name, "env", f"GLOO_SOCKET_IFNAME={name}")
        words = ("--processes", "1", "--nodes", "2", "--rank", str(rank), "--meet", meet)
        labs.append(_begin(directory, *words, inside=inside))
    _finish(labs)
    return digest_of_folder(directories[0].result_path), time.monotonic() - started


def _begin(directory: RunDirectory, *words: str, inside: Sequence[str] = ()) -> "subprocess.Popen[str]":
    command = [*inside, sys.executable, "-m", "trainer.rlhf", str(directory.path), *words]
    environment = {**os.environ, **ONE_THREAD, **OFFLINE}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def _finish(labs: Sequence["subprocess.Popen[str]"]) -> None:
    said = [lab.communicate(timeout=600)[1] for lab in labs]
    if any(lab.returncode for lab in labs):
        raise SystemExit("A lab failed:\n" + "\n".join(said))
