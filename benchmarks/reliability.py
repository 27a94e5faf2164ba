"""Does the estimate of reliability find out who the labelers really are? 40 simulated labelers of known skill
work through the HTTP API of the product's own server; Spearman's ρ of the estimate with the truth."""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any

from scipy.stats import spearmanr  # type: ignore[import-untyped]

from benchmarks.figures import ROOT, Figure
from benchmarks.lab import say
from config.bootstrap import VAR

SCRATCH = VAR / "benchmarks" / "reliability"
LABELERS, SETS, ANSWERS, OVERLAP = 40, 480, 4, 4
CROWD = {
    "skill-low": 0.2,
    "skill-high": 4.0,
    "spammers": 0.1,
    "position-bias": 0.3,
    "length-bias": 0.3,
    "fatigue": 0.3,
}


def facts() -> dict[str, object]:
    return {"labelers": LABELERS, "sets": SETS, "answers": ANSWERS, "overlap": OVERLAP, **CROWD}


def measure(part: str = "", repeats: int = 5) -> Iterator[Figure]:
    """``repeats`` are seeds, each with a campaign and labelers of its own."""
    _set_up()
    found = []
    with _server() as url:
        for seed in range(repeats):
            found.append(_correlation(url, seed))
            say(f"reliability {seed + 1}/{repeats}: {found[-1]}")
    yield Figure("reliability_spearman", fmean(found), "rho")
    yield Figure("reliability_spearman_least", min(found), "rho")


def _correlation(url: str, seed: int) -> float:
    from django.core.management import call_command

    from annotation.actions.weights import reliability_weights

    campaign, out = _campaign(seed), SCRATCH / f"truth-{seed}.json"
    crowd = [f"--{name}={value}" for name, value in CROWD.items()]
    where = ["--campaign", campaign.name, "--url", url, "--truth", "lot", "--out", str(out)]
    call_command("simulate_labelers", *where, "--labelers", str(LABELERS), "--seed", str(seed), *crowd)
    truth = json.loads(out.read_text())["labelers"]
    weights = reliability_weights(campaign)
    estimated = [weights.of(one["id"]) for one in truth]
    return float(spearmanr([one["reliability"] for one in truth], estimated).statistic)


def _campaign(seed: int) -> Any:
    from annotation.actions.candidates import add_candidate_set
    from annotation.actions.prompts import add_prompt
    from annotation.models import Campaign

    rng = random.Random(seed)
    campaign = Campaign.objects.create(name=f"Crowd {seed}", overlap=OVERLAP)
    for number in range(SETS):
        messages = [{"role": "user", "content": f"Question {number}?"}]
        prompt, _is_new = add_prompt(campaign=campaign, messages=messages)
        # The truth hides in the text; its length says nothing of it.
        texts = [f"Answer {rng.getrandbits(64)}{' and more' * rng.randrange(20)}." for _ in range(ANSWERS)]
        add_candidate_set(prompt=prompt, texts=texts)
    return campaign


def _set_up() -> None:
    """A fresh database of our own."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    os.environ |= {"RANKWRIGHT_VAR": str(SCRATCH), "DJANGO_SETTINGS_MODULE": "config.settings"}
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


@contextmanager
def _server() -> Iterator[str]:
    """The product's web server, as ``make run`` starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    gunicorn = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}"]
    log = (SCRATCH / "server.log").open("w")
    with (
        log,
        subprocess.Popen(
            [*gunicorn, "--workers", "2", "--threads", "4"], cwd=ROOT, stdout=log, stderr=log
        ) as server,
    ):
        try:
            _wait(url, Path(log.name))
            yield url
        finally:
            server.terminate()


def _wait(url: str, log: Path) -> None:
    for _try in range(300):
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"The server did not start: {log.read_text()[-2000:]}")
