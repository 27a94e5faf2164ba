"""Candidates over HTTP: from our own server, and from a server that behaves badly."""

import json
from types import SimpleNamespace

import pytest
import torch
from transformers import AutoModelForCausalLM

from tests.trainer.rlhf.kitchen import run_program, said
from trainer.handoff.endpoints import UnknownEndpoint, find_endpoint, named_endpoints
from trainer.rlhf import sample_elsewhere
from trainer.rlhf.errors import Stopped
from trainer.rlhf.sample_elsewhere import Pace
from trainer.rlhf.serving.engine import Engine
from trainer.rlhf.serving.web import ModelServer


@pytest.fixture
def elsewhere(lab, monkeypatch):
    monkeypatch.setattr(sample_elsewhere, "PAUSES", (0.0, 0.0))
    make = lab.directory

    def run(model="endpoint:kitchen", **settings):
        directory = make("sample", **settings)
        config = directory.path / "config.json"
        config.write_text(json.dumps(json.loads(config.read_text()) | {"base_model": model}))
        run_program(directory.path)
        return directory

    return run


class TestSampling:
    def test_asks_our_own_server_like_any_other(self, serve, elsewhere, model_folder, tokenizer):
        model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32).eval()
        engine = Engine(model, tokenizer, rows=4)
        engine.start()
        serve(ModelServer(("127.0.0.1", 0), engine, name="tiny", context=200))

        run = elsewhere()

        engine.close()
        samples = run.read_samples()
        assert [sample["prompt_id"] for sample in samples] == [n for n in range(8) for _ in range(2)]
        assert len({sample["completion"] for sample in samples}) > 8
        assert run.outcome().summary["completions"] == 16

    def test_sends_the_model_the_key_and_another_seed_for_each_draw(self, scripted, elsewhere, monkeypatch):
        monkeypatch.setenv("RANKWRIGHT_ENDPOINT_KEY_KITCHEN", "secret")
        asked = scripted(lambda body, number: said(f"Soup {number}"))

        run = elsewhere("endpoint:kitchen/org/large")

        assert {key for key, _ in asked} == {"Bearer secret"}
        assert {body["model"] for _, body in asked} == {"org/large"}
        assert len({body["seed"] for _, body in asked}) == 16
        assert all("secret" not in file.read_text() for file in run.path.glob("*.json*"))

    def test_asks_again_where_the_server_is_busy(self, scripted, elsewhere):
        asked = scripted(
            lambda body, number: said("Soup") if number > 2 else (503, {"error": {"message": "busy"}})
        )

        run = elsewhere(batch_size=2)

        assert len(asked) == 18
        assert run.outcome().succeeded

    def test_leaves_out_the_prompts_that_the_server_does_not_take(self, scripted, elsewhere):
        scripted(
            lambda body, _: (
                (400, {"error": {"message": "too long"}})
                if "soup" in body["messages"][0]["content"]
                else said("Boil\ud83c it.")
            )
        )

        run = elsewhere()

        assert {sample["prompt_id"] for sample in run.read_samples()} == set(range(1, 8))
        assert run.read_samples()[0]["completion"] == "Boil? it."
        assert run.outcome().summary["unanswered"] == 1

    def test_stops_when_its_tokens_are_used_up(self, scripted, elsewhere):
        asked = scripted(lambda body, number: said("Soup", tokens=10, reason="length"))

        run = elsewhere(most_tokens=50, batch_size=4)

        assert len(asked) == 8
        told = {"completions": 8, "tokens": 80, "unanswered": 4, "finished_share": 0.0}
        assert told.items() <= run.outcome().summary.items()

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            ((401, {"error": {"message": "wrong key"}}), "wrong key"),
            ((413, {"error": {"message": "far too long"}}), "far too long"),
            ((500, {"error": "down"}), "down"),
            ((200, {"no": "choices"}), "no chat completion"),
        ],
    )
    def test_fails_in_plain_words(self, scripted, elsewhere, answer, words):
        scripted(lambda body, number: answer)

        outcome = elsewhere(batch_size=2).outcome()

        assert not outcome.succeeded
        assert words in outcome.reason

    def test_fails_where_the_operator_named_no_such_server(self, elsewhere, monkeypatch):
        monkeypatch.setenv("RANKWRIGHT_ENDPOINTS", "")

        assert "no model server kitchen" in elsewhere().outcome().reason

    def test_lets_a_reward_model_choose_the_best(self, scripted, elsewhere, chain):
        asked = scripted(lambda body, number: said(f"Soup {number}"))

        run = elsewhere(best_of=2, reward_model=chain["reward"].result_path)

        assert len(asked) == 32
        assert all(sample["score"] is not None for sample in run.read_samples())


class TestPace:
    def test_keeps_requests_apart(self):
        clock = Clock()
        pace = Pace(30, SimpleNamespace(check=lambda: None, stopping=False), clock, clock.doze)

        times = []
        for _ in range(4):
            pace.wait()
            times.append(clock.now)

        assert times == [0, 2, 4, 6]

    def test_ends_a_wait_when_the_run_is_to_stop(self):
        clock = Clock()
        report = SimpleNamespace(stopping=False, check=lambda: None)
        pace = Pace(1, report, clock, clock.doze)
        pace.wait()
        report.stopping = True

        with pytest.raises(Stopped):
            pace.wait()


class Clock:
    now = 0.0

    def __call__(self):
        return self.now

    def doze(self, seconds):
        self.now += seconds


class TestNamedEndpoints:
    def test_are_read_from_the_environment_with_their_keys(self):
        told = {
            "RANKWRIGHT_ENDPOINTS": "gpus=http://gpu1:8000/v1, far-away=https://api.example.org/v1",
            "RANKWRIGHT_ENDPOINT_KEY_FAR_AWAY": "secret",
        }

        assert set(named_endpoints(told)) == {"gpus", "far-away"}
        found = find_endpoint("endpoint:far-away/teacher", told)
        assert (found.url, found.model, found.key) == ("https://api.example.org/v1", "teacher", "secret")
        with pytest.raises(UnknownEndpoint):
            find_endpoint("endpoint:nowhere", told)
