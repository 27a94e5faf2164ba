"""A disk that is full, and saved states that are spoilt."""

import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.faults.stage import LEASE, Stage, a_stage, toy_digest, wait_for
from benchmarks.figures import Figure
from trainer.handoff.rundir import RunDirectory

STEPS = 60
SMALL_DISK = "8m"
LINKS = 30_000
"""A saved state of 2 MB: two of them and one being written fit, with little else."""


def truncate(file: Path, rng: random.Random) -> None:
    os.truncate(file, file.stat().st_size // 2)


def flip(file: Path, rng: random.Random) -> None:
    content = bytearray(file.read_bytes())
    content[rng.randrange(len(content))] ^= 1
    file.unlink()  # it may share its bytes with another attempt's
    file.write_bytes(content)


def remove(file: Path, rng: random.Random) -> None:
    file.unlink()


def empty(file: Path, rng: random.Random) -> None:
    os.truncate(file, 0)


WAYS: tuple[Callable[[Path, random.Random], None], ...] = (truncate, flip, remove, empty)


def measure(part: str, repeats: int) -> Iterator[Figure]:
    rng = random.Random(0)
    with a_stage(
        RANKWRIGHT_FAULTS_LEASE=str(LEASE),
        RANKWRIGHT_FAULTS_TOY="1",
        RANKWRIGHT_FAULTS_STEPS=str(STEPS),
        RANKWRIGHT_FAULTS_LINKS=str(LINKS),
    ) as stage:
        trials = silent = mismatches = 0
        for seed in range(repeats):
            for way in WAYS:
                trials += 1
                told, digest = _spoil(stage, 10 * seed + WAYS.index(way), way, rng)
                silent += not told
                mismatches += digest != toy_digest(10 * seed + WAYS.index(way), STEPS)
        yield Figure("spoilt_checkpoints", trials, "trials")
        yield Figure("spoilt_without_a_word", silent, "trials")
        yield Figure("resume_sha_mismatches", mismatches, "runs")
        yield from _fill(stage, repeats)


def _spoil(
    stage: Stage, seed: int, way: Callable[[Path, random.Random], None], rng: random.Random
) -> tuple[bool, str]:
    """Kill a run's worker and spoil what it saved last. Whether the run says so, and what it made."""
    stage.start()
    run = stage.queue(config={"seed": seed})
    wait_for(lambda: stage.state(run) and run.step > 8, "it trains")
    stage.kill()
    wait_for(lambda: not stage.labs(run), "the lab is gone")
    newest, before, *_older = RunDirectory(run.folder_of(1)).steps_saved()
    spoilt = run.folder_of(1) / "checkpoints" / str(newest)
    way(spoilt / rng.choice(["state", "manifest.json"]), rng)
    stage.start()
    digest = stage.finish(run)
    fell_back = run.events.filter(kind="fell_back").first()
    resumed = run.events.filter(kind="resumed").first()
    stage.kill()
    is_told = fell_back is not None and fell_back.data["spoilt"] == [f"1/{newest}"]
    return is_told and resumed is not None and resumed.data["step"] == before, digest


def _fill(stage: Stage, repeats: int) -> Iterator[Figure]:
    """A run on a disk that is too small; then the same with more room."""
    runs = stage.folder / "runs"
    shutil.rmtree(runs, ignore_errors=True)
    runs.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(runs)]
    if subprocess.run(mount, capture_output=True).returncode:  # noqa: S603
        print("disk full: skipped, a small disk cannot be mounted here")
        return
    trials = named = corrupt = 0
    try:
        filler = runs / "filler"
        for seed in range(5000, 5000 + repeats):
            filler.write_bytes(b"0" * (3 << 20))
            stage.start()
            run = stage.queue(config={"seed": seed})
            stage.finish(run)
            trials += 1
            named += run.status == "FAILED" and run.failure_class == "disk_full"
            corrupt += run.status == "SUCCEEDED" and run.artifact.digest != toy_digest(seed, STEPS)
            filler.unlink(missing_ok=True)
            stage.kill()
            shutil.rmtree(runs / str(run.pk), ignore_errors=True)
    finally:
        subprocess.run(["umount", str(runs)], check=True)  # noqa: S603
    yield Figure("disk_full_trials", trials, "trials")
    yield Figure("disk_full_named", named, "runs")
    yield Figure("disk_full_published_corrupt", corrupt, "runs")
