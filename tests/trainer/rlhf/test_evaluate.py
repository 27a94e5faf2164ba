"""What an evaluation measures, and what it leaves behind."""

import json
import math
from itertools import combinations
from statistics import fmean

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM

from tests.trainer.rlhf.kitchen import demonstration, run_program
from tests.trainer.rlhf.test_best_of import REWARDS, taste  # noqa: F401
from trainer.handoff.configs import ConfigError, build_config
from trainer.handoff.records import DemonstrationRecord, PromptRecord, read_records, write_records
from trainer.rlhf.answer_measures import best_of_curve, distinct, is_refusal, repetition
from trainer.rlhf.batches import completion_ids, prompt_ids
from trainer.rlhf.loading import load_tokenizer

scores = st.lists(st.floats(-5, 5), min_size=4, max_size=4)


class TestTexts:
    def test_repetition_is_none_of_new_words_and_nearly_all_of_one(self):
        assert repetition("one two three four five six seven") == 0
        assert repetition("soup " * 103) == pytest.approx(0.99)
        assert repetition("too short") == 0

    def test_han_characters_are_words_of_their_own(self):
        assert repetition("好吃好吃好吃好吃") == pytest.approx(1 - 2 / 5)

    @given(st.lists(st.text(), max_size=5))
    def test_are_shares(self, texts):
        assert 0 <= distinct(texts, 2) <= 1
        assert all(0 <= repetition(text) <= 1 for text in texts)

    def test_refusals_are_seen_at_the_start_in_both_languages(self):
        assert is_refusal("I’m sorry, but I can't help with that.")
        assert is_refusal("抱歉，我不能提供这些信息。")
        assert not is_refusal("Certainly. First boil the water.")
        assert not is_refusal("Certainly. " * 40 + "I can't help with that.")


class TestBestOfCurve:
    @given(st.lists(st.tuples(scores, scores), min_size=1, max_size=3))
    def test_the_curve_is_the_mean_over_all_choices(self, prompts):
        proxies, golds = zip(*prompts, strict=True)

        curve = best_of_curve(proxies, golds)

        for point in curve:
            best = [
                max(choice, key=lambda index, proxy=proxy: (proxy[index], index))
                for proxy in proxies
                for choice in combinations(range(4), point["best_of"])
            ]
            choices = math.comb(4, point["best_of"])
            proxied = [proxies[number // choices][index] for number, index in enumerate(best)]
            held = [golds[number // choices][index] for number, index in enumerate(best)]
            assert point["score"] == pytest.approx(fmean(proxied), abs=1e-4)
            assert point["holdout_score"] == pytest.approx(fmean(held), abs=1e-4)

    def test_starts_without_drift_and_rises(self):
        curve = best_of_curve([[0.0, 1.0, 2.0], [1.0, 5.0, 3.0]])

        assert [point["sqrt_kl"] for point in curve][0] == 0
        assert [point["score"] for point in curve] == sorted(point["score"] for point in curve)
        assert curve[-1]["score"] == 3.5


class TestAnEvaluation:
    def test_measures_scores_texts_perplexity_and_the_curve(self, lab, taste):  # noqa: F811
        directory = lab.directory("evaluate", rewards=REWARDS, holdout_reward=REWARDS[0][0], split="all")
        rows = [demonstration(number, split="held_out") for number in range(3)]
        write_records(directory.path / "data" / "demonstrations.parquet", DemonstrationRecord, rows)

        run_program(directory.path)

        assert directory.outcome().succeeded, directory.outcome().reason
        figures = directory.outcome().summary
        assert figures["holdout_score"] == pytest.approx(figures["score"], abs=1e-3)
        assert figures["perplexity"] == pytest.approx(math.exp(figures["held_out_loss"]), rel=1e-3)
        assert 0 <= figures["repetition_rate"] <= 1 and figures["refusal_rate"] == 0
        report = json.loads((directory.path / "report.json").read_text())
        assert [point["best_of"] for point in report["over_optimisation"]] == [1, 2]
        assert report["over_optimisation"][0]["score"] == pytest.approx(figures["score"], abs=1e-3)
        assert "<svg" in (directory.path / "over-optimisation.svg").read_text()

    def test_needs_neither_a_reward_nor_demonstrations(self, lab):
        run = lab.run("evaluate", split="all")

        figures = run.outcome().summary
        assert "repetition_rate" in figures
        assert not {"score", "perplexity", "over_optimisation"} & set(figures)
        assert not (run.path / "over-optimisation.svg").exists()

    def test_measures_the_drift_from_what_it_was_trained_from(self, lab):
        learned = lab.run("sft", lora_rank=0, learning_rate=5e-3, epochs=3).result_path

        run = lab.run("evaluate", model=learned, reference_model=lab.model, split="all", temperature=0.8)

        ours, theirs = (self.logprobs(place, run) for place in (learned, lab.model))
        expected = fmean(after - before for after, before in zip(ours, theirs, strict=True))
        assert run.outcome().summary["ref_kl"] == pytest.approx(expected, rel=1e-3, abs=1e-3)
        assert expected > 0

    def logprobs(self, place, run):
        """By transformers alone, one answer at a time."""
        model, tokenizer = AutoModelForCausalLM.from_pretrained(place), load_tokenizer(str(place))
        rows = read_records(run.data_path("prompts.parquet"), PromptRecord)
        messages = {row.prompt_id: row.messages for row in rows}
        for sample in run.read_samples():
            before = prompt_ids(tokenizer, messages[sample["prompt_id"]])
            said = completion_ids(tokenizer, sample["completion"], 1000)[: None if sample["finished"] else -1]
            with torch.no_grad():
                logits = model(torch.tensor([before + said])).logits[0, len(before) - 1 : -1] / 0.8
            yield logits.log_softmax(-1)[range(len(said)), said].sum().item()

    def test_that_starts_from_itself_has_no_drift(self, lab):
        run = lab.run("evaluate", reference_model=lab.model, split="all")

        assert run.outcome().summary["ref_kl"] == 0

    def test_keeps_every_answer(self):
        with pytest.raises(ConfigError, match="best_of"):
            build_config("evaluate", {"best_of": 2})
