"""Ranking in a real Chromium in front of the real server: ``make bench ONLY=browser[.PART]``.

Items have four answers of 4,000 characters with tables, code, formulas and Chinese. ``BENCH_SCALE=0.1`` ranks
a tenth of them.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from benchmarks.browser.sizes import first_load, gz_kb
from benchmarks.browser.window import Window, chromium, window
from benchmarks.figures import ROOT, Figure
from benchmarks.judgements.places import BENCH, Place, scaled
from benchmarks.judgements.quantiles import quantile
from benchmarks.judgements.servers import say

Seeded = dict[str, Any]

WARM_UP = 10
TIMED = scaled(40)
SLOWER = 4
LONG = scaled(200)
SETS = 2 * (WARM_UP + TIMED) + WARM_UP + LONG + 20
"""Enough for all parts, and some that windows lease and never rank."""


def measure(part: str, repeats: int) -> Iterator[Figure]:
    """One part's figures, or all of them."""
    if part and part not in PARTS:
        raise SystemExit(f"there is no part {part}; choose from {', '.join(PARTS)}")
    with served() as (address, seeded), chromium() as browser:
        for name in (part,) if part else PARTS:
            say(f"browser.{name}")
            yield from PARTS[name](lambda: window(browser, address, seeded), seeded, repeats)


def first_sizes(open_window: Callable[[], Any], seeded: Seeded, repeats: int) -> Iterator[Figure]:
    yield Figure("first_js_gz_kb", gz_kb(first_load("js")), "kB")
    yield Figure("first_css_gz_kb", gz_kb(first_load("css")), "kB")


def load(open_window: Callable[[], Any], seeded: Seeded, repeats: int) -> Iterator[Figure]:
    """From nothing to the first item, each time in a window that has nothing yet."""
    times = []
    for _ in range(repeats):
        with open_window() as one:
            one.open(path(seeded["campaign"]))
            times.append(one.page.evaluate("window.lcp"))
    yield Figure("lcp_ms", median(times), "ms")


def keys(open_window: Callable[[], Any], seeded: Seeded, repeats: int) -> Iterator[Figure]:
    with open_window() as one:
        times = ranked(one, seeded, TIMED)
        yield Figure("key_to_paint_p95_ms", quantile(times["key"], 0.95), "ms")
        yield Figure("submit_to_next_median_ms", median(times["submit"]), "ms")
        yield Figure("submit_to_next_p95_ms", quantile(times["submit"], 0.95), "ms")
        yield Figure("keys_to_rank_four", one.keys / (WARM_UP + TIMED), "keys")


def slow(open_window: Callable[[], Any], seeded: Seeded, repeats: int) -> Iterator[Figure]:
    """With a processor that is four times as slow."""
    with open_window() as one:
        one.slow_down(SLOWER)
        times = ranked(one, seeded, TIMED)
        yield Figure("key_to_paint_p95_ms_slow", quantile(times["key"], 0.95), "ms")
        yield Figure("submit_to_next_median_ms_slow", median(times["submit"]), "ms")
        yield Figure("submit_to_next_p95_ms_slow", quantile(times["submit"], 0.95), "ms")


def long(open_window: Callable[[], Any], seeded: Seeded, repeats: int) -> Iterator[Figure]:
    """What a long sitting leaves behind."""
    with open_window() as one:
        ranked(one, seeded, 0)
        before, asked = one.heap_mb(), len(one.requests)
        for _ in range(LONG):
            one.rank()
        yield Figure("requests_per_warm_item", (len(one.requests) - asked) / LONG, "requests")
        yield Figure("heap_growth_mb", one.heap_mb() - before, "MB")


def worst(open_window: Callable[[], Any], seeded: Seeded, repeats: int) -> Iterator[Figure]:
    """How long the page stands still, at the longest, when an answer is made to freeze it."""
    longest = {}
    with open_window() as one:
        for name, campaign in seeded["pathological"].items():
            longest[name] = one.longest_task(path(campaign))
            say(f"  {name}: {longest[name]:.0f} ms")
    slowest = max(longest, key=lambda name: longest[name])
    say(f"the slowest is {slowest}")
    yield Figure("worst_block_ms", longest[slowest], "ms")


def path(campaign: int) -> str:
    return f"/app/rank/{campaign}"


def ranked(one: Window, seeded: Seeded, count: int) -> dict[str, list[float]]:
    """Rank so many items; those of the warm-up are not told."""
    one.open(path(seeded["campaign"]))
    for _ in range(WARM_UP):
        one.rank()
    one.paints("key"), one.paints("submit")
    for _ in range(count):
        one.rank()
    return {"key": one.paints("key"), "submit": one.paints("submit")}


PARTS = {"sizes": first_sizes, "load": load, "keys": keys, "slow": slow, "long": long, "worst": worst}


@contextmanager
def served() -> Iterator[tuple[str, Seeded]]:
    """The product with fresh data, at an address; gone afterwards."""
    folder = BENCH / "work" / f"browser-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    there = Place("sqlite", folder)
    try:
        there.manage("migrate", "--verbosity", "0")
        command = [sys.executable, "-m", "benchmarks.browser.seeding", str(SETS)]
        done = subprocess.run(
            command, cwd=ROOT, env=there.environment, stdout=subprocess.PIPE, text=True, check=True
        )
        with there.web() as port:
            yield f"http://127.0.0.1:{port}", json.loads(done.stdout.splitlines()[-1])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def facts() -> dict[str, object]:
    return {"load_average": round(os.getloadavg()[1], 1), "items_timed": TIMED, "items_in_a_row": LONG}
