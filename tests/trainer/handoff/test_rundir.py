import json
from dataclasses import replace

import pytest

from trainer.handoff.configs import ConfigError
from trainer.handoff.rewards import RewardSource
from trainer.handoff.rundir import RunDirectory, RunSpec, digest_of_folder

SPEC = RunSpec(
    kind="sft",
    config={"seed": 1},
    base_model="somewhere",
    base_digest="aa",
    snapshot_digest="bb",
    code_version="0.1.0",
)


@pytest.fixture
def folder(tmp_path):
    data = tmp_path / "rows"
    data.write_bytes(b"rows")
    return RunDirectory.create(tmp_path / "run", SPEC, {"demonstrations.parquet": data})


def test_rewards_pass_through(tmp_path):
    rewards = (RewardSource(source="python:taste:sweet", weight=0.5), RewardSource(source="http://localhost"))
    spec = replace(SPEC, rewards=rewards, holdout_reward="/somewhere/else")

    assert RunDirectory.create(tmp_path / "run", spec, {}).spec() == spec


def test_settings_of_before_there_were_rewards_are_read(folder):
    told = json.loads((folder.path / "config.json").read_text())
    del told["rewards"], told["holdout_reward"]
    (folder.path / "config.json").write_text(json.dumps(told))

    assert folder.spec() == SPEC


@pytest.mark.parametrize(
    "source",
    [
        "",
        "file:///etc/passwd",
        "ftp://host/score",
        "http://",
        "http://host:port/",
        "python:taste",
        "python:taste:",
        "python:os.path:system('true')",
        "python::sweet",
        7,
    ],
)
def test_a_reward_that_could_not_be_read_is_refused(source):
    with pytest.raises(ConfigError, match="it must be python:package.module:function"):
        RewardSource(source=source)


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), "1", True, None])
def test_a_weight_that_is_no_number_is_refused(weight):
    with pytest.raises(ConfigError, match="weight is .*; it must be a"):
        RewardSource(source="python:taste:sweet", weight=weight)


def test_settings_and_data_pass_through(folder):
    assert RunDirectory(folder.path).spec() == SPEC
    assert folder.data_path("demonstrations.parquet").read_bytes() == b"rows"


def test_metrics_are_read_from_where_one_stopped(folder):
    for step in (1, 2, 3):
        folder.log_metrics(step=step, steps=3, loss=1 / step)

    first, line = folder.read_metrics()
    folder.log_metrics(step=4, steps=4, loss=0.1)
    more, line_after = folder.read_metrics(line)

    assert [row["step"] for row in first] == [1, 2, 3]
    assert [row["step"] for row in more] == [4]
    assert (line, line_after) == (3, 4)


def test_a_half_written_line_waits_for_its_end(folder):
    folder.log_metrics(step=1, steps=2)
    with (folder.path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 2, "ste')

    rows, line = folder.read_metrics()

    assert ([row["step"] for row in rows], line) == ([1], 1)


def test_samples_keep_any_text(folder):
    texts = ["a\u2028b", "line\nbreak", "茶\x0b", ""]
    for text in texts:
        folder.append_sample(prompt_id=1, completion=text)

    assert [row["completion"] for row in folder.read_samples()] == texts


def test_a_result_appears_only_when_it_is_whole(folder):
    with pytest.raises(RuntimeError), folder.publish_result() as unfinished:
        (unfinished / "weights").write_text("half")
        raise RuntimeError

    assert not folder.result_path.exists()
    with folder.publish_result() as unfinished:
        (unfinished / "weights").write_text("whole")
    assert (folder.result_path / "weights").read_text() == "whole"


def test_the_outcome_is_what_the_lab_said(folder):
    assert folder.outcome() is None
    folder.mark_failed("The disk is full.")
    assert folder.outcome().reason == "The disk is full."
    folder.mark_done({"loss": 1.0})
    assert folder.outcome().succeeded


def test_a_folders_digest_knows_names_and_contents(tmp_path):
    def made(name, files):
        folder = tmp_path / name
        folder.mkdir()
        for file, text in files.items():
            (folder / file).write_text(text)
        return digest_of_folder(folder)

    assert made("a", {"x": "1", "y": "2"}) == made("b", {"y": "2", "x": "1"})
    assert made("c", {"x": "1", "y": "2"}) != made("d", {"x": "2", "y": "1"})


class TestCheckpoints:
    def save(self, folder, step, text="state"):
        with folder.write_checkpoint(step, kept=2) as unfinished:
            (unfinished / "state").write_text(text)

    def test_the_newest_two_are_kept(self, folder):
        for step in (1, 2, 10):
            self.save(folder, step)

        assert folder.latest_checkpoint().step == 10
        assert {path.name for path in (folder.path / "checkpoints").iterdir()} == {"2", "10"}

    def test_that_broke_off_is_none(self, folder):
        with pytest.raises(OSError), folder.write_checkpoint(1, kept=2) as unfinished:
            (unfinished / "state").write_text("half")
            raise OSError("disk full")

        assert folder.latest_checkpoint() is None

    @pytest.mark.parametrize("spoil", [lambda file: file.unlink(), lambda file: file.write_text("other")])
    @pytest.mark.parametrize("name", ["state", "manifest.json"])
    def test_that_is_spoiled_is_passed_over(self, folder, spoil, name):
        self.save(folder, 1)
        self.save(folder, 2)

        spoil(folder.path / "checkpoints" / "2" / name)

        assert folder.latest_checkpoint().step == 1

    def test_of_other_settings_is_refused(self, folder):
        self.save(folder, 1)
        (folder.path / "config.json").write_text("{}")

        with pytest.raises(ValueError, match="other settings"):
            folder.latest_checkpoint()

    def test_rewinding_forgets_what_was_logged_since(self, folder):
        folder.log_metrics(step=1, steps=3)
        folder.append_sample(completion="早")
        self.save(folder, 1)
        folder.log_metrics(step=2, steps=3)
        folder.append_sample(completion="晚")
        folder.mark_failed("No luck.")

        folder.rewind(folder.latest_checkpoint())

        assert [line["step"] for line in folder.read_metrics()[0]] == [1]
        assert folder.read_samples() == [{"completion": "早"}]
        assert folder.outcome() is None

    def test_another_attempt_takes_over_what_was_saved_and_no_more(self, folder, tmp_path):
        folder.log_metrics(step=1, steps=3)
        self.save(folder, 1)
        folder.log_metrics(step=2, steps=3)
        later = RunDirectory.create(tmp_path / "later", SPEC, {})

        assert later.take_over(folder)

        assert later.latest_checkpoint().step == 1
        assert [line["step"] for line in later.read_metrics()[0]] == [1]

    def test_nothing_is_taken_over_for_other_settings(self, folder, tmp_path):
        self.save(folder, 1)
        later = RunDirectory.create(tmp_path / "later", replace(SPEC, config={"seed": 2}), {})

        assert not later.take_over(folder)
        assert later.latest_checkpoint() is None


class TestKeptCheckpoints:
    @pytest.mark.parametrize(
        ("metric", "best"), [("held_out_loss", 2), ("score", 3), ("held_out_accuracy", 3), ("loss", None)]
    )
    def test_are_the_last_two_and_the_best(self, folder, metric, best):
        values = {1: 5.0, 2: 1.0, 3: 9.0, 4: 3.0, 5: 4.0, 6: 2.0}
        for step, value in values.items():
            folder.log_metrics(step=step, steps=6, **{metric: value})
            with folder.write_checkpoint(step, kept=2) as unfinished:
                (unfinished / "state").write_text("saved")

        assert set(folder.steps_saved()) == {6, 5} | ({best} - {None})
