"""``python -m trainer.rlhf``, but it can be caught at named moments; or a toy in its place, without torch."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.faults import toy
from benchmarks.faults.points import wait_at
from trainer.handoff import rundir
from trainer.handoff.rundir import RunDirectory

_rename, _flush = Path.rename, rundir._flush
_log, _write, _done = RunDirectory.log_metrics, RunDirectory.write_checkpoint, RunDirectory.mark_done


def main() -> int:
    set_traps()
    if os.environ.get("RANKWRIGHT_FAULTS_TOY"):
        return toy.train(RunDirectory(sys.argv[1]))
    from trainer.rlhf.__main__ import main as train

    return train()


def set_traps() -> None:
    def log_metrics(self: RunDirectory, *, step: int, **values: Any) -> None:
        _log(self, step=step, **values)
        if self.steps_saved():
            wait_at("step")

    @contextmanager
    def write_checkpoint(self: RunDirectory, step: int, **options: Any) -> Iterator[Path]:
        with _write(self, step, **options) as folder:
            yield folder
            if self.steps_saved():
                wait_at("write")

    def flush(path: Path) -> None:
        if path.parent.name.endswith(".unfinished") and len(list(path.parent.parent.glob("[0-9]*"))) > 1:
            wait_at("fsync")
        _flush(path)

    def rename(self: Path, target: Path) -> Path:
        if self.name == "result.unfinished":
            wait_at("result")
        elif self.parent.name == rundir.CHECKPOINTS and len(list(self.parent.glob("[0-9]*"))) > 1:
            wait_at("rename")
        return _rename(self, target)

    def mark_done(self: RunDirectory, summary: Any) -> None:
        _done(self, summary)
        wait_at("done")

    RunDirectory.log_metrics = log_metrics  # type: ignore[assignment]
    RunDirectory.write_checkpoint = write_checkpoint  # type: ignore[assignment]
    RunDirectory.mark_done = mark_done  # type: ignore[method-assign]
    rundir._flush = flush
    Path.rename = rename  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    sys.exit(main())
