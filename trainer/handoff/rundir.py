"""A run directory: all that passes between the desk and the lab. Files appear whole or not at all."""

import hashlib
import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainer.handoff.failures import Failure
from trainer.handoff.rewards import RewardSource

CONFIG, METRICS, SAMPLES = "config.json", "metrics.jsonl", "samples.jsonl"
TAUGHT = "taught"
"""A run directory in a run's, where a distillation keeps what it has asked its teacher for."""
BASELINE = "baseline.jsonl"
"""Among the data: samples of an earlier run, to compare with."""
GUIDELINE = "guideline.json"
"""Among the data of a run with a judge: ``{"version", "text"}`` of what the campaign's labelers are told."""
DONE, FAILED = "DONE", "FAILED"
CHECKPOINTS, MANIFEST = "checkpoints", "manifest.json"
ADAPTERS = "adapters"
"""Of a result: what was learned alone, in peft's form, where adapters learned it."""
BETTER = {"held_out_accuracy": 1, "held_out_loss": -1, "holdout_score": 1, "score": 1}
"""What tells which saved state is the best, the most telling first; -1 where less is better."""


Watch = Callable[[], None]
"""What is called again and again during long work on files; it may raise to break that off."""


def _nobody() -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """What the lab is asked to do, and from what."""

    kind: str
    config: dict[str, Any]
    base_model: str
    """A local folder or a Hugging Face id."""
    base_digest: str
    reward_model: str | None = None
    """The folder of a reward run's result; counts with weight 1."""
    reward_digest: str | None = None
    rewards: tuple[RewardSource, ...] = ()
    """What else scores; PPO needs one of these or a ``reward_model``."""
    holdout_reward: str | None = None
    """A source like those of ``rewards`` that PPO only watches: where it falls while ``score`` rises, the
    policy has learned to please the reward instead of people."""
    reference_model: str | None = None
    """What ``base_model`` was trained from: an evaluation measures the drift from it."""
    snapshot_digest: str
    code_version: str


@dataclass(frozen=True)
class Outcome:
    """How a run ended, as the lab said it."""

    succeeded: bool
    reason: str
    summary: dict[str, Any]
    failure: Failure | None = None


@dataclass(frozen=True)
class SavedState:
    """A checkpoint that is whole, and how long the logs were when it was made."""

    path: Path
    step: int
    log_sizes: dict[str, int]


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
        told = json.loads((self.path / CONFIG).read_text(encoding="utf-8"))
        rewards = tuple(RewardSource(**reward) for reward in told.pop("rewards", ()))
        return RunSpec(**told, rewards=rewards)

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
        shutil.rmtree(self.result_path, ignore_errors=True)  # of a run that died before it said so
        unfinished.rename(self.result_path)
        _flush(self.path)

    @contextmanager
    def write_checkpoint(self, step: int, *, kept: int) -> Iterator[Path]:
        """A folder to fill; it becomes ``checkpoints/STEP`` when the block ends well. The newest ``kept``
        stay, and the one that the held-out rows, or the scores, speak best of."""
        target = self.path / CHECKPOINTS / str(step)
        unfinished = target.with_name(f"{step}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        yield unfinished
        manifest = {
            "step": step,
            "config": digest_of_file(self.path / CONFIG),
            "files": {file.name: digest_of_file(file) for file in sorted(unfinished.iterdir())},
            "log_sizes": {name: _flushed_size(self.path / name) for name in (METRICS, SAMPLES)},
        }
        signed = {**manifest, "sha256": _digest_of_words(manifest)}
        (unfinished / MANIFEST).write_text(json.dumps(signed, indent=2), encoding="utf-8")
        for file in unfinished.iterdir():
            _flush(file)
        shutil.rmtree(target, ignore_errors=True)
        unfinished.rename(target)
        _flush(target.parent)
        best = self.best_step()
        for old in self._checkpoint_folders()[kept:]:
            if int(old.name) != best:
                shutil.rmtree(old)

    def latest_checkpoint(self, watch: Watch = _nobody) -> SavedState | None:
        """The newest checkpoint whose files are as its manifest says; None if there is none.

        :raises ValueError: it was made with other settings than ``config.json`` has now.
        """
        for folder in self._checkpoint_folders():
            try:
                manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
                signed_as = manifest.pop("sha256")
                files = {name: digest_of_file(folder / name, watch) for name in manifest["files"]}
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                continue
            # The manifest itself may be spoilt as well: a flipped bit can still be JSON.
            if files != manifest["files"] or signed_as != _digest_of_words(manifest):
                continue
            if manifest["config"] != digest_of_file(self.path / CONFIG):
                raise ValueError(
                    f"The checkpoint {folder} was made with other settings than {CONFIG} has now. "
                    "Put the settings back, or start again in a fresh run directory."
                )
            return SavedState(folder, manifest["step"], manifest["log_sizes"])
        return None

    def take_over(self, earlier: "RunDirectory", watch: Watch = _nobody) -> int | None:
        """Go on from the newest checkpoint of an earlier attempt. Returns its step, None if there is none for
        these settings: whatever that attempt goes on to write changes nothing here."""
        try:
            saved = earlier.latest_checkpoint(watch)
        except (OSError, ValueError):
            return None
        if saved is None or digest_of_file(earlier.path / CONFIG) != digest_of_file(self.path / CONFIG):
            return None
        folder = self.path / CHECKPOINTS / str(saved.step)
        folder.mkdir(parents=True)
        for file in saved.path.iterdir():
            _link_or_copy(file, folder / file.name)
        for name, size in saved.log_sizes.items():
            if size:
                (self.path / name).write_bytes((earlier.path / name).read_bytes()[:size])
        return saved.step

    def rewind(self, saved: SavedState | None) -> None:
        """Forget what was logged after the checkpoint (everything, where there is none), and how it ended."""
        for name in (METRICS, SAMPLES):
            if (self.path / name).exists():
                os.truncate(self.path / name, saved.log_sizes[name] if saved else 0)
        self._forget_ending()

    def _forget_ending(self) -> None:
        for name in (DONE, FAILED):
            (self.path / name).unlink(missing_ok=True)
        for unfinished in (self.path / CHECKPOINTS).glob("*.unfinished"):
            shutil.rmtree(unfinished)

    def begin_with_whole_lines(self) -> None:
        """Keep what is logged, up to the last whole line, and forget how it ended: for runs whose every line
        stands for itself."""
        for name in (METRICS, SAMPLES):
            if (self.path / name).exists():
                os.truncate(self.path / name, _whole_size(self.path / name))
        self._forget_ending()

    def take_lines(self, earlier: "RunDirectory") -> int | None:
        """Have the whole lines of an earlier attempt, also those that no checkpoint speaks of. Returns how
        many samples they are; None where there are none for these settings."""
        told = earlier.path / SAMPLES
        if not told.exists() or digest_of_file(earlier.path / CONFIG) != digest_of_file(self.path / CONFIG):
            return None
        for name in (METRICS, SAMPLES):
            if (earlier.path / name).exists():
                size = _whole_size(earlier.path / name)
                (self.path / name).write_bytes((earlier.path / name).read_bytes()[:size])
        return len(self._lines(SAMPLES)) or None

    def take_taught(self, earlier: "RunDirectory") -> None:
        """Have what an earlier attempt with these settings has asked its teacher: nothing is asked twice."""
        told = earlier.path / TAUGHT / SAMPLES
        if told.exists() and digest_of_file(earlier.path / CONFIG) == digest_of_file(self.path / CONFIG):
            (self.path / TAUGHT).mkdir(exist_ok=True)
            shutil.copyfile(told, self.path / TAUGHT / SAMPLES)

    def log_metrics(self, *, step: int, steps: int, **values: float) -> dict[str, float]:
        """Append a line, and return it; names are those of ``metrics.py``."""
        line = {"step": step, "steps": steps, "at": round(time.time(), 3), **values}
        self._append(METRICS, line)
        return line

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

    def mark_failed(self, reason: str, failure: Failure = Failure.CODE_ERROR) -> None:
        # Where the disk is full there may be no room for that either; then the exit code has to say it.
        with suppress(OSError):
            _write_whole(self.path / FAILED, json.dumps({"reason": reason, "class": failure}))

    def outcome(self) -> Outcome | None:
        """How the run ended; None while it has not said so."""
        if (self.path / DONE).exists():
            return Outcome(True, "", json.loads((self.path / DONE).read_text(encoding="utf-8")))
        if (self.path / FAILED).exists():
            said = json.loads((self.path / FAILED).read_text(encoding="utf-8"))
            return Outcome(False, said["reason"], {}, Failure(said.get("class", Failure.CODE_ERROR)))
        return None

    def steps_saved(self) -> list[int]:
        """Newest first, whole or not."""
        return [int(folder.name) for folder in self._checkpoint_folders()]

    def best_step(self) -> int | None:
        """Of the saved ones; None where nothing was measured that tells."""
        lines = self.read_metrics()[0]
        telling = next((name for name in BETTER if any(name in line for line in lines)), None)
        if telling is None:
            return None
        told = {
            int(line["step"]): BETTER[telling] * line[telling]
            for line in lines
            if _is_number(line.get(telling))
        }
        # A step that measured nothing is as good as what was measured before it.
        at = {step: max((t for t in told if t <= step), default=None) for step in self.steps_saved()}
        known = {step: told[measured] for step, measured in at.items() if measured is not None}
        return max(known, key=lambda step: (known[step], step), default=None)

    def _checkpoint_folders(self) -> list[Path]:
        """Newest first; unfinished ones are none."""
        folders = [folder for folder in (self.path / CHECKPOINTS).glob("*") if folder.name.isdigit()]
        return sorted(folders, key=lambda folder: -int(folder.name))

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


def _digest_of_words(manifest: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def digest_of_file(path: Path, watch: Watch = _nobody) -> str:
    """sha256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            watch()
    return digest.hexdigest()


def digest_of_folder(path: Path, watch: Watch = _nobody) -> str:
    """sha256 over the names and the contents of a folder's files."""
    digest = hashlib.sha256()
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()}\0{digest_of_file(file, watch)}\n".encode())
    return digest.hexdigest()


def digest_of(path: Path, watch: Watch = _nobody) -> str:
    """Of a folder, or of a file; of one that was never written as of an empty one."""
    if path.is_dir():
        return digest_of_folder(path, watch)
    return digest_of_file(path, watch) if path.exists() else hashlib.sha256().hexdigest()


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def _write_whole(path: Path, text: str) -> None:
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    _flush(unfinished)
    unfinished.rename(path)
    _flush(path.parent)


def _whole_size(log: Path) -> int:
    """Bytes up to and with the last newline."""
    return log.read_bytes().rfind(b"\n") + 1


def _flushed_size(log: Path) -> int:
    """Of a file that is safe on the disk; 0 if there is none yet."""
    if not log.exists():
        return 0
    _flush(log)
    return log.stat().st_size


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
