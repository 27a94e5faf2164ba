"""A stage of the lab without torch: a chain of hashes, a link a step, saved and resumed as the real ones are.

One step forgotten, or done twice, and its result is another.
"""

import hashlib
import os
import signal
import time
from pathlib import Path

from trainer.handoff.failures import failure_of
from trainer.handoff.rundir import RunDirectory

STEPS = int(os.environ.get("RANKWRIGHT_FAULTS_STEPS", "20"))
SECONDS = float(os.environ.get("RANKWRIGHT_FAULTS_SECONDS", "0.05"))
EVERY = 2
STOPPED = 143


def train(run: RunDirectory) -> int:
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
    try:
        return _train(run, stopping)
    except OSError as error:
        run.mark_failed(f"The toy broke: {error}", failure_of(error))
        return 1


def _train(run: RunDirectory, stopping: list[int]) -> int:
    saved = run.latest_checkpoint()
    run.rewind(saved)
    link = (saved.path / "state").read_text()[:64] if saved else run.spec().config["seed"]
    for step in range(saved.step + 1 if saved else 1, STEPS + 1):
        time.sleep(SECONDS)
        _hang_if_told(run.path.parent, step)
        link = hashlib.sha256(f"{link}{step}".encode()).hexdigest()
        run.log_metrics(step=step, steps=STEPS, loss=1.0 / step)
        if step % EVERY == 0 or stopping:
            with run.write_checkpoint(step, kept=2) as folder:
                (folder / "state").write_text(link * _size())
        if stopping:
            return STOPPED
    with run.publish_result() as folder:
        (folder / "model.safetensors").write_text(link)
    run.mark_done({"loss": 1.0 / STEPS})
    return 0


def _size() -> int:
    """Of a checkpoint, in links of 64 bytes."""
    return int(os.environ.get("RANKWRIGHT_FAULTS_LINKS", "1"))


def _hang_if_told(folder: Path, step: int) -> None:
    told = folder / "hang"
    if told.exists() and step >= int(told.read_text()):
        told.unlink()
        time.sleep(3600)
