"""Where nodes without a shared disk leave for each other what runs read, save and make: any fsspec address.

Without ``RUNS_STORE`` everything stays in the folders of this machine, or of the disk that all share.
"""

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from fsspec.core import url_to_fs

from trainer.handoff.rundir import CHECKPOINTS, CONFIG, MANIFEST, METRICS, SAMPLES, TAUGHT, RunDirectory
from trainer.models import Checkpoint, Run, Snapshot

Watch = Callable[[], None]
BLOCK = 1 << 20
WAIT_SECONDS = 0.5
LOGS = (CONFIG, METRICS, SAMPLES, f"{TAUGHT}/{SAMPLES}")
PULLED = 2
"""Saved states that are fetched: should the newest be spoilt, the one before is there."""


def is_set() -> bool:
    return bool(settings.RUNS_STORE)


def push(source: Path, url: str, watch: Watch = lambda: None) -> None:
    """A file, or all files of a folder; the manifest last, since it says that all is there."""
    storage, root = url_to_fs(url)
    files = [file for file in source.rglob("*") if file.is_file()] if source.is_dir() else [source]
    for file in sorted(files, key=lambda file: file.name == MANIFEST):
        target = f"{root}/{file.relative_to(source).as_posix()}" if source.is_dir() else root
        storage.makedirs(target.rpartition("/")[0], exist_ok=True)
        with file.open("rb") as here, storage.open(target, "wb") as there:
            _copy(here, there, watch)


def pull(url: str, target: Path, watch: Watch = lambda: None) -> bool:
    """A file or a folder, whole or not at all. Return False if there is none."""
    storage, root = url_to_fs(url)
    if not storage.exists(root):
        return False
    unfinished = target.with_name(f"{target.name}.unfinished")
    for place in storage.find(root):
        name = place[len(root) :].lstrip("/")
        file = unfinished / name if name else unfinished
        file.parent.mkdir(parents=True, exist_ok=True)
        with storage.open(place, "rb") as there, file.open("wb") as here:
            _copy(there, here, watch)
    unfinished.rename(target)
    return True


def _copy(source: Any, target: Any, watch: Watch) -> None:
    while block := source.read(BLOCK):
        target.write(block)
        watch()


# --- What runs read


def share_snapshot(snapshot: Snapshot) -> None:
    """So that a node finds it; done once."""
    if is_set() and snapshot.file.exists():
        storage, root = url_to_fs(_url_of_snapshot(snapshot))
        if not storage.exists(root):
            push(snapshot.file, _url_of_snapshot(snapshot))


def fetch_snapshot(snapshot: Snapshot, watch: Watch) -> None:
    if is_set():
        _fetch_once(_url_of_snapshot(snapshot), snapshot.file, watch)


def local_place(checkpoint: Checkpoint, watch: Watch) -> str:
    """The checkpoint's folder on this machine, fetched if it is elsewhere; or its Hugging Face id."""
    kept = Path(place_here(checkpoint))
    if "://" in checkpoint.location:
        _fetch_once(checkpoint.location, kept, watch)
    return place_here(checkpoint)


def place_here(checkpoint: Checkpoint) -> str:
    """Where it is once it has been fetched."""
    if "://" not in checkpoint.location:
        return checkpoint.location
    return str(Path(settings.RUNS_ROOT) / "fetched" / checkpoint.digest)


def _fetch_once(url: str, target: Path, watch: Watch) -> None:
    """Runs, and who asks about the next one, may want the same at a time: the others wait for the first."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        while not _is_ours(lock):
            watch()
            time.sleep(WAIT_SECONDS)
        if not target.exists():  # by now
            pull(url, target, watch)


def _is_ours(lock: IO[str]) -> bool:
    """Whoever dies lets go of it."""
    with suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


# --- What runs save


class SavedElsewhere:
    """Brings what an attempt saves to where another node finds it."""

    def __init__(self, run: Run) -> None:
        self.run, self.directory = run, RunDirectory(run.folder)
        self.brought: set[int] = set()

    def keep_up(self, watch: Watch) -> None:
        """Bring the newest saved state, if it is new."""
        newest = next(iter(self.directory.steps_saved()), None) if is_set() else None
        if newest is None or newest in self.brought:
            return
        with suppress(FileNotFoundError):  # the lab has just removed it for a newer one
            for name in LOGS:
                if (self.run.folder / name).exists():
                    push(self.run.folder / name, f"{url_of(self.run)}/{name}", watch)
            step = f"{CHECKPOINTS}/{newest}"
            push(self.run.folder / step, f"{url_of(self.run)}/{step}", watch)
            # Not before: a worker that has to leave breaks off here, and brings it once more at the end.
            self.brought.add(newest)


def fetch_saved(run: Run, attempt: int, watch: Watch) -> None:
    """The newest that an earlier attempt has saved elsewhere, into its folder here."""
    here = RunDirectory(run.folder_of(attempt))
    if not is_set() or here.steps_saved():
        return
    url = url_of(run, attempt)
    for step in list(_steps_at(f"{url}/{CHECKPOINTS}"))[:PULLED]:
        pull(f"{url}/{CHECKPOINTS}/{step}", here.path / CHECKPOINTS / str(step), watch)
    for name in LOGS:
        if not (here.path / name).exists():
            pull(f"{url}/{name}", here.path / name, watch)


def publish(run: Run, made: Path, watch: Watch) -> str:
    """Where everybody finds what the run made."""
    if not is_set() or not made.exists():
        return str(made)
    url = f"{url_of(run)}/{made.name}"
    push(made, url, watch)
    return url


def fetch_made(run: Run, target: Path, watch: Watch) -> None:
    """What a run made, one file, to where another one reads it."""
    location = run.artifact.location
    if "://" in location:
        pull(location, target, watch)
    else:
        shutil.copyfile(location, target)


def url_of(run: Run, attempt: int | None = None) -> str:
    # The attempt is part of the address: what a late one leaves is named by no row.
    number = run.attempt if attempt is None else attempt
    return f"{settings.RUNS_STORE.rstrip('/')}/runs/{run.pk}/attempt-{number}"


def _url_of_snapshot(snapshot: Snapshot) -> str:
    return f"{settings.RUNS_STORE.rstrip('/')}/snapshots/{snapshot.digest}/{snapshot.file.name}"


def _steps_at(url: str) -> Iterator[int]:
    """Newest first; only those that are whole."""
    storage, root = url_to_fs(url)
    if storage.exists(root):
        names = [place.rstrip("/").rpartition("/")[2] for place in storage.ls(root, detail=False)]
        for step in sorted((int(name) for name in names if name.isdecimal()), reverse=True):
            if storage.exists(f"{root}/{step}/{MANIFEST}"):
                yield step
