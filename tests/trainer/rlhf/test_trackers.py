"""A run's metrics in TensorBoard's files, and in trackers that the environment names."""

import struct
import sys
import threading
from collections import defaultdict
from types import ModuleType, SimpleNamespace

import pytest

from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf import trackers
from trainer.rlhf.reporting import Reporter

SPEC = RunSpec(
    kind="sft",
    config={"epochs": 2},
    base_model="tiny",
    base_digest="b",
    snapshot_digest="s",
    code_version="1",
)


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch):
    for name in ("WANDB_PROJECT", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def attempt(tmp_path):
    """The directory of an attempt at run 5, which goes on from the lines of the one before."""

    def make(number, after=None):
        directory = RunDirectory.create(tmp_path / "5" / f"attempt-{number}", SPEC, {})
        if after:
            lines = (after.path / "metrics.jsonl").read_text().splitlines(keepends=True)
            (directory.path / "metrics.jsonl").write_text("".join(lines[:2]))
        return directory

    return make


def walk(directory, *steps):
    report = Reporter(directory)
    for step in steps:
        report.step(step, 9, loss=1 / step)
    report.close()
    return directory


def events_in(directory):
    """(step, name, value, time) of all scalars, as TensorBoard reads them."""
    from tensorboardX.proto.event_pb2 import Event

    [file] = (directory.path / "tensorboard").iterdir()
    data, found = file.read_bytes(), []
    while data:
        (size,) = struct.unpack("<Q", data[:8])
        event = Event.FromString(data[12 : 12 + size])
        found += [
            (event.step, value.tag, round(value.simple_value, 4), round(event.wall_time, 3))
            for value in event.summary.value
        ]
        data = data[12 + size + 4 :]
    return found


class TestTensorBoard:
    def test_shows_each_line_of_the_metrics(self, attempt):
        directory = walk(attempt(1), 1, 2, 4)

        lines, _ = directory.read_metrics()
        assert events_in(directory) == [
            (line["step"], "loss", round(line["loss"], 4), line["at"]) for line in lines
        ]

    def test_shows_no_step_twice_when_another_attempt_goes_on(self, attempt):
        first = walk(attempt(1), 1, 2, 3, 4)

        second = walk(attempt(2, after=first), 3, 4, 5)

        assert [step for step, *_ in events_in(second)] == [1, 2, 3, 4, 5]

    def test_nor_when_the_same_directory_is_gone_on_with(self, attempt):
        directory = walk(attempt(1), 1, 2, 3)
        lines = (directory.path / "metrics.jsonl").read_text().splitlines(keepends=True)
        (directory.path / "metrics.jsonl").write_text("".join(lines[:1]))

        walk(directory, 2, 3)

        assert [step for step, *_ in events_in(directory)] == [1, 2, 3]

    def test_is_left_to_the_first_process(self, attempt):
        directory = attempt(1)
        report = Reporter(directory, writes=False)

        report.step(1, 9, loss=1.0)
        report.close()

        assert not (directory.path / "tensorboard").exists()

    def test_that_cannot_be_written_ends_no_run(self, attempt, monkeypatch, capsys):
        def full(*_args, **_options):
            raise OSError("No space left on device")

        monkeypatch.setattr("tensorboardX.event_file_writer.EventsWriter", full)

        directory = walk(attempt(1), 1, 2)

        assert len(directory.read_metrics()[0]) == 2
        assert "TensorBoard shows nothing of this run any more: No space left" in capsys.readouterr().err


class FakeWandb(ModuleType):
    """Keeps what its server would, by the run's id."""

    def __init__(self):
        super().__init__("wandb")
        self.runs, self.asked = defaultdict(dict), []

    def init(self, **asked):
        self.asked.append(asked)
        kept = self.runs[asked["id"]]
        log = lambda values, step: kept.setdefault(step, []).append(values)  # noqa: E731
        return SimpleNamespace(
            starting_step=max(kept, default=-1) + 1, log=log, finish=lambda: kept.update(over=[True])
        )


class TestWeightsAndBiases:
    @pytest.fixture
    def wandb(self, monkeypatch):
        fake = FakeWandb()
        monkeypatch.setitem(sys.modules, "wandb", fake)
        monkeypatch.setenv("WANDB_PROJECT", "kitchen")
        return fake

    def test_has_one_run_for_all_attempts_with_each_step_once(self, wandb, attempt, monkeypatch):
        first = walk(attempt(1), 1, 2, 3)
        [kept] = wandb.runs.values()
        del kept["over"]

        walk(attempt(2, after=first), 3, 4)

        assert list(wandb.runs) == [wandb.asked[0]["id"]]
        assert kept == {step: [{"loss": pytest.approx(1 / step, abs=1e-5)}] for step in (1, 2, 3, 4)} | {
            "over": [True]
        }
        asked = wandb.asked[0]
        assert (asked["project"], asked["name"], asked["config"]) == ("kitchen", "sft 5", {"epochs": 2})

    def test_is_not_even_imported_where_nobody_asked_for_it(self, wandb, attempt, monkeypatch):
        monkeypatch.delenv("WANDB_PROJECT")

        walk(attempt(1), 1)

        assert not wandb.asked

    def test_that_does_not_answer_is_not_waited_for(self, wandb, attempt, monkeypatch):
        answers = threading.Event()
        monkeypatch.setattr(wandb, "init", lambda **_: answers.wait(60))
        monkeypatch.setattr(trackers, "CLOSING_SECONDS", 0.01)

        directory = walk(attempt(1), 1, 2)

        answers.set()
        assert len(directory.read_metrics()[0]) == 2


class FakeMlflowClient:
    """Keeps what its server would; a metric that is sent twice is there twice."""

    runs: dict

    def get_experiment_by_name(self, name):
        return None if name not in self.experiments else SimpleNamespace(experiment_id=name)

    def create_experiment(self, name):
        self.experiments.append(name)
        return name

    def search_runs(self, experiments, filter_string, max_results):
        wanted = filter_string.split("'")[1]
        return [run for run in self.runs.values() if run.tags["rankwright.run"] == wanted][:max_results]

    def create_run(self, experiment, tags, run_name):
        number = str(len(self.runs))
        info = SimpleNamespace(run_id=number, run_name=run_name, experiment=experiment)
        self.runs[number] = SimpleNamespace(info=info, tags=tags, params={}, metrics=[], status="RUNNING")
        return self.runs[number]

    def update_run(self, run_id, status):
        self.runs[run_id].status = status

    def log_param(self, run_id, name, value):
        self.runs[run_id].params[name] = value

    def log_batch(self, run_id, metrics):
        self.runs[run_id].metrics += metrics

    def get_metric_history(self, run_id, name):
        return [metric for metric in self.runs[run_id].metrics if metric.key == name]

    def set_terminated(self, run_id):
        self.runs[run_id].status = "FINISHED"


class TestMlflow:
    @pytest.fixture
    def runs(self, monkeypatch):
        client = type("Client", (FakeMlflowClient,), {"runs": {}, "experiments": []})
        tracking, entities = ModuleType("mlflow.tracking"), ModuleType("mlflow.entities")
        tracking.MlflowClient = client
        entities.Metric = lambda key, value, timestamp, step: SimpleNamespace(
            key=key, value=value, timestamp=timestamp, step=step
        )
        for module in (ModuleType("mlflow"), tracking, entities):
            monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://tracking.example.org")
        return client.runs

    def test_has_one_run_for_all_attempts_with_each_step_once(self, runs, attempt):
        first = walk(attempt(1), 1, 2, 3)

        walk(attempt(2, after=first), 3, 4)

        [run] = runs.values()
        assert [(metric.key, metric.step) for metric in run.metrics] == [
            ("loss", step) for step in (1, 2, 3, 4)
        ]
        assert (run.info.run_name, run.info.experiment, run.params) == ("sft 5", "Rankwright", {"epochs": 2})
        assert run.status == "FINISHED"

    def test_keeps_other_runs_apart(self, runs, attempt, tmp_path):
        walk(attempt(1), 1)

        walk(RunDirectory.create(tmp_path / "6" / "attempt-1", SPEC, {}), 1)

        assert len(runs) == 2

    def test_that_refuses_ends_no_run(self, runs, attempt, monkeypatch, capsys):
        def refuse(*_args, **_options):
            raise ConnectionError("it is away")

        monkeypatch.setattr(FakeMlflowClient, "log_batch", refuse)

        directory = walk(attempt(1), 1, 2, 3)

        assert len(directory.read_metrics()[0]) == 3
        assert "MLflow shows nothing of this run any more: it is away" in capsys.readouterr().err
