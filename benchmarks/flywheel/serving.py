"""How soon a chat's answer begins, and what answering eight at once gains over one by one.

The server runs as its users run it; beside it, in the same minute and with as many threads, transformers
answers the same questions with ``generate``, one after the other, in the type of numbers that suits it best.
"""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from benchmarks.figures import ROOT, Figure
from trainer.handoff.openai_client import Endpoint

MODEL = ROOT / "var" / "models" / "smollm2-135m-instruct"
USERS = 8
TOKENS = 64
SUBJECTS = ("a dragon", "the sea", "rain", "two brothers", "a lost key", "bread", "a long winter", "a train")
ENVIRONMENT = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}


def questions() -> list[str]:
    return [f"Tell me a long story about {subject}, with many details." for subject in SUBJECTS]


def figures(repeats: int) -> Iterator[Figure]:
    plain = _plain(repeats)
    with served() as endpoint:
        _ask(endpoint, questions())  # warm
        alone = [_ask(endpoint, questions()[:1]) for _ in range(repeats)]
        together = [_ask(endpoint, questions()) for _ in range(repeats)]
    yield Figure("first_token_1_user_s", median(max(run.first) for run in alone), "s")
    yield Figure("first_token_8_users_s", median(max(run.first) for run in together), "s")
    ours = median(run.tokens_per_second for run in together)
    yield Figure("serve_8_users_tokens_per_second", ours, "tokens/s")
    yield Figure("serve_1_user_tokens_per_second", median(run.tokens_per_second for run in alone), "tokens/s")
    for dtype, rate in plain.items():
        yield Figure(f"generate_{dtype}_tokens_per_second", rate, "tokens/s")
    yield Figure("serve_batching_ratio", ours / max(plain.values()), "times")


class Run:
    """Some users who ask at the same moment."""

    def __init__(self) -> None:
        self.first: list[float] = []
        """Seconds to each one's first words."""
        self.tokens = 0
        self.seconds = 0.0

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / self.seconds


def _ask(endpoint: Endpoint, texts: list[str]) -> Run:
    run, begun = Run(), time.monotonic()

    def ask(text: str) -> None:
        first = True
        for piece in endpoint.stream([{"role": "user", "content": text}], max_tokens=TOKENS, temperature=0):
            if piece.text and first:
                run.first.append(time.monotonic() - begun)
                first = False

    before = _written(endpoint)
    threads = [threading.Thread(target=ask, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.seconds, run.tokens = time.monotonic() - begun, _written(endpoint) - before
    return run


def _written(endpoint: Endpoint) -> int:
    with urllib.request.urlopen(endpoint.url.removesuffix("/v1") + "/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    name = "rankwright_model_tokens_total "
    return int(next(line for line in lines if line.startswith(name)).removeprefix(name))


@contextmanager
def served() -> Iterator[Endpoint]:
    command = [sys.executable, "-m", "trainer.rlhf.serve", str(MODEL), "--port", "0", "--remember", "0"]
    process = subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        said = next(line for line in process.stdout if line.startswith("serving "))
        yield Endpoint(said.split()[-1], timeout=300)
    finally:
        process.terminate()
        process.wait(60)


def _plain(repeats: int) -> dict[str, float]:
    """Tokens a second of ``generate``, by type of number."""
    command = [sys.executable, "-m", "benchmarks.flywheel.serving_side", str(repeats)]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    rates: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return rates
