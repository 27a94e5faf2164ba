"""A run directory: all that passes between the desk and the lab. Files appear whole or not at all."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

CONFIG, METRICS, SAMPLES = "config.json", "metrics.jsonl", "samples.jsonl"
DONE, FAILED = "DONE", "FAILED"


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """What the lab is asked to do, and from what."""

    kind: str
    config: dict[str, Any]
    base_model: str
    """A local folder or a Hugging Face id."""
    base_digest: str
    reward_model: str | None = None
    """The folder of a reward run's result; PPO needs one."""
    reward_digest: str | None = None
    snapshot_digest: str
    code_version: str


@dataclass(frozen=True)
class Outcome:
    """How a run ended, as the lab said it."""

    succeeded: bool
    reason: str
    summary: dict[str, Any]


class RunDirectory:
    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @classmethod
    def create(cls, path: Path | str, spec: RunSpec, data_files: Mapping[str, Path]) -> "RunDirectory":
        """A fresh directory with the settings and the data, which is linked where it can be."""
        folder = cls(path)
        (folder.path / "data").mkdir(parents=True)
        for name, source in data_files.items():
            _link_or_copy(source, folder.path / "data" / name)
        _write_whole(folder.path / CONFIG, json.dumps(asdict(spec), indent=2, sort_keys=True))
        return folder

    def spec(self) -> RunSpec:
        """:raises FileNotFoundError, ValueError: there is no readable ``config.json``."""
        return RunSpec(**json.loads((self.path / CONFIG).read_text(encoding="utf-8")))

    def data_path(self, name: str) -> Path:
        return self.path / "data" / name

    @property
    def result_path(self) -> Path:
        return self.path / "result"

    @contextmanager
    def publish_result(self) -> Iterator[Path]:
        """A folder to fill; it becomes ``result/`` when the block ends well."""
        unfinished = self.path / "result.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        yield unfinished
        for file in unfinished.rglob("*"):
            if file.is_file():
                _flush(file)
        unfinished.rename(self.result_path)
        _flush(self.path)

    def log_metrics(self, *, step: int, steps: int, **values: float) -> None:
        """Append a line; names are those of ``metrics.py``."""
        self._append(METRICS, {"step": step, "steps": steps, "at": round(time.time(), 3), **values})

    def read_metrics(self, after_line: int = 0) -> tuple[list[dict[str, Any]], int]:
        """The lines after the first ``after_line``, and how many there are now. A half-written one waits."""
        lines = self._lines(METRICS)
        return [json.loads(line) for line in lines[after_line:]], max(after_line, len(lines))

    def append_sample(self, **sample: Any) -> None:
        """Append what the policy said: prompt_id, completion, finished, tokens, score, ref_kl, step."""
        self._append(SAMPLES, sample)

    def read_samples(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._lines(SAMPLES)]

    def mark_done(self, summary: Mapping[str, Any]) -> None:
        _write_whole(self.path / DONE, json.dumps(summary))

    def mark_failed(self, reason: str) -> None:
        _write_whole(self.path / FAILED, json.dumps({"reason": reason}))

    def outcome(self) -> Outcome | None:
        """How the run ended; None while it has not said so."""
        if (self.path / DONE).exists():
            return Outcome(True, "", json.loads((self.path / DONE).read_text(encoding="utf-8")))
        if (self.path / FAILED).exists():
            said = json.loads((self.path / FAILED).read_text(encoding="utf-8"))
            return Outcome(False, said["reason"], {})
        return None

    def _append(self, name: str, row: Mapping[str, Any]) -> None:
        with (self.path / name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def _lines(self, name: str) -> list[str]:
        file = self.path / name
        if not file.exists():
            return []
        # What stands after the last newline is still being written. Split at newlines only: text of the
        # policy may hold other line separators.
        return file.read_text(encoding="utf-8").split("\n")[:-1]


def digest_of_file(path: Path) -> str:
    """sha256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def digest_of_folder(path: Path) -> str:
    """sha256 over the names and the contents of a folder's files."""
    digest = hashlib.sha256()
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()}\0{digest_of_file(file)}\n".encode())
    return digest.hexdigest()


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def _write_whole(path: Path, text: str) -> None:
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    _flush(unfinished)
    unfinished.rename(path)
    _flush(path.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
