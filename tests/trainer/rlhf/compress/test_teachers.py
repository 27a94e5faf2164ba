"""A student of what its teacher thinks aloud, on a server of its own and on this machine."""

import json

import pytest

from tests.trainer.rlhf.compress.test_runs import no_other_process, stop_after  # noqa: F401
from tests.trainer.rlhf.kitchen import run_program, said
from trainer.handoff.configs import ConfigError, build_config
from trainer.handoff.rundir import TAUGHT, RunDirectory
from trainer.rlhf import sample_elsewhere

ELSEWHERE = {"teacher": "endpoint:kitchen", "terms_allow": True}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(sample_elsewhere, "PAUSES", (0.0, 0.0))


def taught(directory):
    return RunDirectory(directory.path / TAUGHT).read_samples()


class TestThoughts:
    def test_are_asked_of_the_server_for_each_train_prompt_and_learned(self, lab, scripted):
        asked = scripted(lambda body, number: said("First water, then heat. Boil it."))

        run = lab.run("distill", learn_from="thoughts", thought_template="Think: {prompt}", **ELSEWHERE)

        assert run.outcome().succeeded, run.outcome().reason
        assert len(asked) == run.outcome().summary["demonstrations"] == len(taught(run))
        assert all(body["messages"][-1]["content"].startswith("Think: How do I") for _key, body in asked)

    def test_that_were_cut_are_not_learned(self, lab, scripted):
        scripted(lambda body, number: said("First", reason="length" if number == 1 else "stop"))

        run = lab.run("distill", learn_from="thoughts", **ELSEWHERE)

        problems = [line["problem"] for line in taught(run)]
        assert problems.count("cut") == 1
        assert run.outcome().summary["demonstrations"] == len(problems) - 1

    def test_are_not_asked_twice_when_the_run_is_broken_off(self, lab, scripted):
        asked = scripted(lambda body, number: said(f"Thought {number}."))
        broken = lab.directory("distill", learn_from="thoughts", checkpoint_every=1, **ELSEWHERE)
        stop_after(broken, 2)
        once = len(asked)

        run_program(broken.path)

        assert broken.outcome().succeeded
        assert len(asked) == once == len(taught(broken))

    def test_go_with_the_run_to_its_next_attempt(self, lab, scripted, tmp_path):
        scripted(lambda body, number: said("Boil it."))
        first = lab.run("distill", learn_from="thoughts", **ELSEWHERE)
        again = lab.directory("distill", learn_from="thoughts", name="again", **ELSEWHERE)

        again.take_taught(first)

        assert taught(again) == taught(first)

    def test_are_not_taken_from_a_run_with_other_settings(self, lab, scripted):
        scripted(lambda body, number: said("Boil it."))
        first = lab.run("distill", learn_from="thoughts", **ELSEWHERE)
        other = lab.directory("distill", learn_from="answers", name="other", **ELSEWHERE)

        other.take_taught(first)

        assert taught(other) == []

    def test_come_from_the_checkpoint_itself_where_no_server_is_named(self, lab):
        run = lab.run("distill", learn_from="thoughts", max_completion_tokens=200, answer_temperature=1.5)

        assert len(taught(run)) > 0
        assert json.loads((run.path / "config.json").read_text())["config"].get("teacher", "") == ""

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"teacher": "endpoint:kitchen", "learn_from": "thoughts"}, "terms_allow"),
            ({**ELSEWHERE, "learn_from": "logits"}, "probabilities"),
            ({"teacher": "gpt", "terms_allow": True, "learn_from": "answers"}, "endpoint:NAME"),
            ({"thought_template": "Think."}, "{prompt}"),
        ],
    )
    def test_are_refused_where_they_cannot_be_had(self, values, words):
        with pytest.raises(ConfigError, match=words):
            build_config("distill", values)
