"""The best of several draws: a baseline without training."""

import math
import random
from collections import defaultdict

import pytest

from tests.trainer.rlhf.kitchen import prompt
from trainer.rlhf.sample import best_draws, best_of_kl

DRAWS = 4

TASTE = """
asked = []

def score(prompts, completions):
    scores = [(hash_of(text) % 1000) / 500 - 1 for text in completions]
    asked.append(list(zip([prompt[0]["content"] for prompt in prompts], completions, scores)))
    return scores

def hash_of(text):
    return int.from_bytes(__import__("hashlib").sha256(text.encode()).digest()[:4], "big")
"""


@pytest.fixture
def taste(tmp_path, monkeypatch):
    """A reward as good as random, and the module that remembers what it was asked."""
    import importlib
    import sys

    (tmp_path / "random_taste.py").write_text(TASTE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "random_taste", raising=False)
    return importlib.import_module("random_taste")


REWARDS = [("python:random_taste:score", 1.0)]


class TestBestDraws:
    def test_are_the_highest_of_each_candidates_own_draws(self):
        luck = random.Random(0)
        scores = [luck.random() for _ in range(60)]

        kept = best_draws(scores, 5)

        assert [scores[index] for index in kept] == [max(scores[i : i + 5]) for i in range(0, 60, 5)]
        assert [index // 5 for index in kept] == list(range(12))

    def test_of_equals_is_the_first(self):
        assert best_draws([1.0, 1.0, 0.0, 0.0], 2) == [0, 2]

    def test_of_one_draw_is_that_draw(self):
        assert best_draws([3.0, 1.0, 2.0], 1) == [0, 1, 2]


class TestBestOfKL:
    @pytest.mark.parametrize("draws", [1, 2, 4, 16])
    def test_is_what_listing_every_answer_gives_where_none_is_drawn_twice(self, draws):
        """Equally likely answers, of which the i-th best of M is the best of n draws with probability
        (i/M)^n − ((i−1)/M)^n."""
        bound = best_of_kl(draws)
        for answers, gap in ((10, math.inf), (1000, 0.01), (20_000, 0.001)):
            chances = [(i / answers) ** draws - ((i - 1) / answers) ** draws for i in range(1, answers + 1)]
            kl = sum(chance * math.log(chance * answers) for chance in chances if chance > 0)
            assert kl <= bound + 1e-9
            assert bound - kl < gap


class TestSampleRun:
    def mean_score(self, run):
        scores = [sample["score"] for sample in run.read_samples()]
        return sum(scores) / len(scores)

    def test_keeps_the_best_of_each_candidates_draws(self, lab, taste):
        run = lab.run("sample", rewards=REWARDS, best_of=DRAWS)

        assert run.outcome().succeeded, run.outcome().reason
        drawn = [row for batch in taste.asked for row in batch]
        samples = run.read_samples()
        assert len(drawn) == DRAWS * len(samples) == DRAWS * 16
        prompts = {prompt(number).messages[0]["content"]: number for number in range(8)}
        for index, sample in enumerate(samples):
            mine = drawn[index * DRAWS : (index + 1) * DRAWS]
            assert {prompts[asked] for asked, _text, _score in mine} == {sample["prompt_id"]}
            best = max(mine, key=lambda row: row[2])
            assert (sample["completion"], sample["score"]) == (best[1], pytest.approx(best[2], abs=1e-4))

    def test_scores_more_the_more_it_may_choose_from(self, lab, taste):
        runs = {
            draws: lab.run("sample", name=f"of-{draws}", rewards=REWARDS, best_of=draws)
            for draws in (1, 2, 8)
        }

        means = [self.mean_score(run) for run in runs.values()]
        assert means[0] < means[1] < means[2]
        for draws, run in runs.items():
            summary = run.outcome().summary
            assert summary["score"] == pytest.approx(self.mean_score(run), abs=1e-3)
            assert summary.get("best_of_kl", 0.0) == pytest.approx(best_of_kl(draws), abs=1e-4)
            assert run.read_metrics()[0][-1]["score"] == pytest.approx(summary["score"], abs=1e-3)

    def test_of_one_says_what_it_says_without_a_reward(self, lab, taste):
        scored = lab.run("sample", name="scored", rewards=REWARDS)
        plain = lab.run("sample")

        unscored = [{**sample, "score": None} for sample in scored.read_samples()]
        assert unscored == plain.read_samples()
        assert "score" not in plain.outcome().summary

    def test_may_be_chosen_by_a_reward_model(self, lab, chain):
        run = lab.run("sample", reward_model=chain["reward"].result_path, best_of=2)

        assert run.outcome().succeeded, run.outcome().reason
        by_prompt = defaultdict(list)
        for sample in run.read_samples():
            by_prompt[sample["prompt_id"]].append(sample["score"])
        assert {len(scores) for scores in by_prompt.values()} == {2}

    def test_is_refused_where_nobody_can_choose(self, lab):
        run = lab.run("sample", best_of=2)

        assert run.outcome().reason == ("best_of is 2, but no reward model says which answer is the best.")
