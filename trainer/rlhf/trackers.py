"""A run's metrics where people already look: TensorBoard's files in the run directory, always; Weights &
Biases and MLflow where the environment names them, in the words of their own.

Each gets the lines of ``metrics.jsonl`` in a thread of its own. A run that goes on shows all lines from the
first one again, and each tracker passes over what it has already. Nothing that goes wrong here ends a run.
"""

import os
import shutil
import sys
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, Protocol

from trainer.handoff.rundir import RunDirectory, digest_of_file

TENSORBOARD = "tensorboard"
CLOSING_SECONDS = 20.0
"""A server that does not answer is not waited for any longer."""
NO_METRICS = frozenset({"step", "steps", "at"})

Line = dict[str, Any]


class Tracker(Protocol):
    def log(self, line: Line) -> None: ...

    def close(self) -> None: ...


class Trackers:
    def __init__(self, directory: RunDirectory) -> None:
        self.directory = directory
        self.followers: list[Follower] = []

    def show(self, line: Line) -> None:
        """The line that was just logged; the first time, all those before it as well."""
        lines = [line]
        if not self.followers:
            lines, _count = self.directory.read_metrics()
            self.followers = [Follower(make, self.directory) for make in wanted()]
        for follower in self.followers:
            for one in lines:
                follower.lines.put(one)

    def close(self) -> None:
        for follower in self.followers:
            follower.lines.put(None)
        for follower in self.followers:
            follower.join(CLOSING_SECONDS)


class Follower(Thread):
    """Keeps whatever a tracker waits for, or dies of, away from the run."""

    def __init__(self, make: Callable[[RunDirectory], Tracker], directory: RunDirectory) -> None:
        super().__init__(name=make.__name__, daemon=True)
        self.make, self.directory = make, directory
        self.lines: SimpleQueue[Line | None] = SimpleQueue()
        self.start()

    def run(self) -> None:
        try:
            tracker = self.make(self.directory)
            while (line := self.lines.get()) is not None:
                tracker.log(line)
            tracker.close()
        except Exception as error:
            print(f"{self.name} shows nothing of this run any more: {error}", file=sys.stderr, flush=True)


def wanted() -> list[Callable[[RunDirectory], Tracker]]:
    found: list[Callable[[RunDirectory], Tracker]] = [TensorBoard]
    if os.environ.get("WANDB_PROJECT"):
        found.append(WeightsAndBiases)
    if os.environ.get("MLFLOW_TRACKING_URI"):
        found.append(MLflow)
    return found


class TensorBoard:
    """``tensorboard --logdir RUNS_FOLDER`` finds the files of all runs."""

    def __init__(self, directory: RunDirectory) -> None:
        from tensorboardX.event_file_writer import EventsWriter

        # The files of an attempt that went further than its last saved state would show steps twice.
        folder = directory.path / TENSORBOARD
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        # SummaryWriter would keep a thread and a queue between processes; this thread is enough.
        self.events = EventsWriter(str(folder / "events"))

    def log(self, line: Line) -> None:
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=name, simple_value=value) for name, value in metrics_of(line).items()]
        self.events.write_event(Event(wall_time=line["at"], step=line["step"], summary=Summary(value=values)))
        self.events.flush()

    def close(self) -> None:
        self.events.close()


class WeightsAndBiases:
    """Attempts at a run are one run there; its steps only ever grow, so those that it has are passed over."""

    def __init__(self, directory: RunDirectory) -> None:
        import wandb

        spec, name = directory.spec(), name_of(directory)
        self.run = wandb.init(
            project=os.environ["WANDB_PROJECT"],
            id=identity_of(directory),
            name=name,
            group=spec.kind,
            config=spec.config,
            dir=str(directory.path),
            resume="allow",
            settings={"console": "off"},
        )
        self.first = int(self.run.starting_step)

    def log(self, line: Line) -> None:
        if line["step"] >= self.first:
            self.run.log(metrics_of(line), step=line["step"])

    def close(self) -> None:
        self.run.finish()


class MLflow:
    """Attempts at a run are one run there; of each metric the steps that it has are passed over."""

    def __init__(self, directory: RunDirectory) -> None:
        from mlflow.tracking import MlflowClient

        self.client = MlflowClient()
        spec, tags = directory.spec(), {"rankwright.run": identity_of(directory)}
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or "Rankwright"
        known = self.client.get_experiment_by_name(name)
        experiment = known.experiment_id if known else self.client.create_experiment(name)
        words = f"tags.`rankwright.run` = '{tags['rankwright.run']}'"
        found = self.client.search_runs([experiment], filter_string=words, max_results=1)
        run = next(iter(found), None) or self.client.create_run(
            experiment, tags=tags, run_name=name_of(directory)
        )
        self.run_id: str = run.info.run_id
        self.is_new, self.last = not found, dict[str, int]()
        self.client.update_run(self.run_id, status="RUNNING")
        for setting, value in spec.config.items() if self.is_new else ():
            self.client.log_param(self.run_id, setting, value)

    def log(self, line: Line) -> None:
        from mlflow.entities import Metric

        fresh = {name: value for name, value in metrics_of(line).items() if line["step"] > self._last(name)}
        at = int(1000 * line["at"])
        told = [Metric(name, value, at, line["step"]) for name, value in fresh.items()]
        if told:
            self.client.log_batch(self.run_id, metrics=told)

    def _last(self, name: str) -> int:
        """The newest step that an earlier attempt has shown of it."""
        if name not in self.last:
            shown = [] if self.is_new else self.client.get_metric_history(self.run_id, name)
            self.last[name] = max((metric.step for metric in shown), default=-1)
        return self.last[name]

    def close(self) -> None:
        self.client.set_terminated(self.run_id)


def metrics_of(line: Line) -> dict[str, float]:
    return {name: value for name, value in line.items() if name not in NO_METRICS}


def name_of(directory: RunDirectory) -> str:
    """A queued run's directory is its attempt's, below the run's number."""
    folder = directory.path.resolve()
    return f"{directory.spec().kind} {(folder.parent if folder.name.startswith('attempt-') else folder).name}"


def identity_of(directory: RunDirectory) -> str:
    """The same for all attempts at a run, on whatever node."""
    digest = digest_of_file(directory.path / "config.json")
    return f"{name_of(directory).replace(' ', '-')}-{digest[:12]}"
