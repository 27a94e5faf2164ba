import json
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from tests.trainer.rlhf.kitchen import (
    BAD,
    CONFIGS,
    DISHES,
    FAIR,
    GOOD,
    assistant,
    demonstration,
    ranking,
    run_program,
    user,
)
from tests.trainer.rlhf.tiny_policies import add_random_role
from trainer.handoff.configs import RewardConfig
from trainer.handoff.records import DemonstrationRecord, write_records
from trainer.handoff.rundir import digest_of_folder
from trainer.rlhf.batches import Family, completion_ids, pad, prompt_ids
from trainer.rlhf.errors import LabError
from trainer.rlhf.judgements import ranking_loss, shares
from trainer.rlhf.modeling import Backbone, Role, ScalarHead
from trainer.rlhf.rankings import RankedAnswers, collate, in_passes
from trainer.rlhf.reward import fit_of, scored_rankings
from trainer.rlhf.reward_models import RewardModel, load_reward_model
from trainer.rlhf.trunks import TrunkCache
from trainer.rlhf.world import World


def answered(tokenizer, *texts, question="How do I make tea?"):
    """Prompt and completion, one for each text."""
    return family(tokenizer, *texts, question=question).sequences()


def family(tokenizer, *texts, question="How do I make tea?"):
    prompt = prompt_ids(tokenizer, [user(question)])
    return Family(prompt, [completion_ids(tokenizer, text, 99) for text in texts])


def loaded(run, backbone, base):
    digest = digest_of_folder(base)
    return load_reward_model(run.result_path, shared=backbone, base_digest=digest, dtype=torch.float32)


@pytest.fixture
def run(chain):
    return chain["reward"]


@pytest.fixture
def start_folder(chain):
    """What the chain's reward model was trained from."""
    return chain["sft"].result_path


class TestRewardRun:
    def test_learns_an_obvious_preference(self, run, make_backbone, start_folder, tokenizer):
        model = loaded(run, make_backbone(folder=start_folder), start_folder)

        good, fair, bad = model.scores(pad(answered(tokenizer, GOOD, FAIR, BAD))).tolist()

        assert good > fair > bad
        assert run.outcome().summary["held_out_accuracy"] == 1.0
        assert run.outcome().summary["held_out_comparisons"] == 6

    def test_starts_near_ln_2(self, run):
        lines, _ = run.read_metrics()

        assert lines[0]["loss"] == pytest.approx(0.693, abs=0.05)

    def test_scores_its_own_data_with_mean_0_and_deviation_1(
        self, run, make_backbone, start_folder, tokenizer
    ):
        model = loaded(run, make_backbone(folder=start_folder), start_folder)
        texts = [
            sequence
            for dish in DISHES[:6]
            for sequence in answered(tokenizer, GOOD, FAIR, BAD, question=f"How do I make {dish}?")
        ]

        scores = model.scores(pad(texts))

        assert scores.mean().item() == pytest.approx(0, abs=1e-3)
        assert scores.std(correction=0).item() == pytest.approx(1, abs=1e-3)

    def test_scores_the_demonstrations_of_its_base_with_mean_0_where_it_has_them(
        self, lab, make_backbone, tokenizer
    ):
        directory = lab.directory("reward")
        taught = [demonstration(number, turns=[assistant(GOOD)]) for number in range(3)]
        write_records(directory.data_path("demonstrations.parquet"), DemonstrationRecord, taught)
        run_program(directory.path)

        model = loaded(directory, make_backbone(), lab.model)

        texts = [answered(tokenizer, GOOD, question=row.messages[0]["content"])[0] for row in taught]
        assert model.scores(pad(texts)).mean().item() == pytest.approx(0, abs=1e-3)

    @pytest.mark.parametrize(
        "nothing",
        [
            {"tiers": [[1, 2, 3]]},
            {"tiers": [], "unacceptable": [1, 2, 3]},
            {"tiers": [], "cannot_judge": "I do not cook."},
        ],
        ids=["only ties", "all unacceptable", "cannot judge"],
    )
    def test_refuses_rankings_that_prefer_nothing(self, lab, nothing):
        run = lab.run("reward", rows=[ranking(number, **nothing) for number in range(4)])

        assert not run.outcome().succeeded
        assert run.outcome().reason.startswith("No ranking to learn from: of 4 rankings")

    def test_counts_rankings_whose_prompt_is_too_long(self, lab):
        rows = [ranking(number) for number in range(4)]
        rows[0].messages[0]["content"] = "Please. " * 40

        run = lab.run("reward", rows=rows, max_prompt_tokens=60)

        assert run.outcome().summary["left_out"] == 1
        assert run.outcome().summary["comparisons"] == 9

    def test_learns_from_the_train_split_alone(self, lab):
        """Held-out rankings say the opposite; their accuracy tells whom the model believed."""
        rows = [ranking(number) for number in range(6)]
        rows += [ranking(number, split="held_out", tiers=[[3], [2], [1]]) for number in (6, 7)]

        summary = lab.run("reward", rows=rows).outcome().summary

        assert summary["held_out_accuracy"] == 0.0
        assert summary["train_accuracy"] > 0.9


class TestLosses:
    @pytest.mark.parametrize("loss", ["plackett_luce", "davidson", "rao_kupper"])
    def test_learn_an_obvious_preference(self, lab, loss):
        summary = lab.run("reward", loss=loss).outcome().summary

        assert summary["held_out_accuracy"] == 1.0

    @pytest.mark.parametrize("loss", ["davidson", "rao_kupper"])
    def test_learn_how_often_equals_are_tied(self, lab, loss):
        """Batches of nothing but ties are among them."""
        rows = [ranking(number, tiers=[[1, 2, 3]]) for number in range(5)] + [ranking(5), ranking(6)]

        often = lab.run("reward", rows=rows, loss=loss, batch_size=1, name="often")
        never = lab.run("reward", rows=rows[5:], loss=loss, batch_size=1, name="never")

        # Both start at the share of ties, with half a tie and half a comparison added.
        assert often.outcome().summary["tie_chance"] > 15.5 / 22
        assert never.outcome().summary["tie_chance"] < 0.5 / 7
        assert often.outcome().summary["train_accuracy"] > 0.5
        accuracies = [line["accuracy"] for line in often.read_metrics()[0] if "accuracy" in line]
        assert len(accuracies) == CONFIGS["reward"]["epochs"] * 2
        assert all(0 <= accuracy <= 1 for accuracy in accuracies)

    @pytest.mark.parametrize("loss", ["bradley_terry", "davidson"])
    def test_refuse_ties_alone(self, lab, loss):
        run = lab.run("reward", rows=[ranking(n, tiers=[[1, 2, 3]]) for n in range(4)], loss=loss)

        assert run.outcome().reason.startswith("No ranking to learn from")

    def test_believe_the_heavier_ranking(self, lab):
        light, heavy = [[1], [2], [3]], [[3], [2], [1]]
        rows = [replace(ranking(number, tiers=light), weight=0.01) for number in range(4)]
        rows += [replace(ranking(number, tiers=heavy), weight=3.0) for number in range(4)]
        rows += [ranking(number, tiers=heavy, split="held_out") for number in (4, 5)]

        assert lab.run("reward", rows=rows).outcome().summary["held_out_accuracy"] == 1.0

    def test_leave_out_what_weighs_nothing_and_refuse_what_weighs_less(self, lab):
        rows = [ranking(0), replace(ranking(1), weight=0.0)]

        assert lab.run("reward", rows=rows).outcome().summary["comparisons"] == 3
        rows[1] = replace(rows[1], weight=-1.0)
        assert "weight -1.0" in lab.run("reward", rows=rows, name="less").outcome().reason


class TestPublishedReport:
    def test_tells_of_the_held_out_rankings(self, run):
        report = json.loads((run.result_path / "report.json").read_text())

        assert (report["rankings"], report["comparisons"]) == (2, 6)
        assert report["accuracy"]["value"] == 1.0 == report["kendall_tau"]["value"]
        assert report["ceiling"]["why"] == "No held-out candidate set was ranked by two labelers."
        assert (run.result_path / "reliability.svg").exists()

    def test_says_why_it_is_empty_where_nothing_was_held_out(self, lab):
        run = lab.run("reward", rows=[ranking(number) for number in range(3)])

        report = json.loads((run.result_path / "report.json").read_text())
        assert report["accuracy"]["why"] == "No held-out ranking prefers one completion over another."
        assert not list(run.result_path.glob("*.svg"))


class TestPublishedFolder:
    def raw_scores(self, folder, tokenizer, texts):
        """As anybody would who knows transformers alone: padded by the folder's own tokenizer."""
        classifier = AutoModelForSequenceClassification.from_pretrained(folder)
        published = AutoTokenizer.from_pretrained(folder)
        rows = [sequence.ids for sequence in answered(tokenizer, *texts)]
        padded = published.pad({"input_ids": rows}, return_tensors="pt")
        with torch.no_grad():
            return classifier(**padded).logits[:, 0]

    def test_gives_the_same_scores_in_transformers_own_classifier(
        self, run, make_backbone, start_folder, tokenizer
    ):
        texts = [GOOD, "No, never ever, not even for two.", ""]
        ours = loaded(run, make_backbone(folder=start_folder), start_folder)
        batch = pad(answered(tokenizer, *texts))

        theirs = self.raw_scores(run.result_path, tokenizer, texts)

        torch.testing.assert_close(ours.raw_scores(batch), theirs, rtol=0, atol=1e-4)

    def test_does_so_where_the_base_model_pads_with_its_end_mark(
        self, lab, make_backbone, chatml_folder, chatml
    ):
        run = lab.run("reward", model=chatml_folder)
        texts = [GOOD, "No, never ever, not even for two.", ""]
        ours = loaded(run, make_backbone(folder=chatml_folder), chatml_folder)

        theirs = self.raw_scores(run.result_path, chatml, texts)

        torch.testing.assert_close(ours.raw_scores(pad(answered(chatml, *texts))), theirs, rtol=0, atol=1e-4)


class TestLoadRewardModel:
    def test_shares_the_backbone_it_was_trained_from_and_scores_the_same_alone(
        self, run, make_backbone, start_folder, model_folder, tokenizer
    ):
        batch = pad(answered(tokenizer, GOOD, FAIR, BAD))
        same, other = make_backbone(folder=start_folder), make_backbone(folder=model_folder)

        shared, alone = loaded(run, same, start_folder), loaded(run, other, model_folder)

        assert shared.role == Role(same, "reward")
        assert alone.role.backbone is not other
        torch.testing.assert_close(shared.scores(batch), alone.scores(batch), rtol=0, atol=1e-4)

    @pytest.mark.parametrize("adapters", [{"lora_rank": 0}, {"lora_rank": 2}, {"lora_layers": 1}])
    def test_shares_nothing_with_other_adapters(self, run, make_backbone, start_folder, adapters, tokenizer):
        backbone = make_backbone(folder=start_folder, **adapters)
        batch = pad(answered(tokenizer, GOOD, FAIR, BAD))

        model = loaded(run, backbone, start_folder)

        assert model.role.backbone is not backbone
        expected = loaded(run, make_backbone(folder=start_folder), start_folder).scores(batch)
        torch.testing.assert_close(model.scores(batch), expected, rtol=0, atol=1e-4)

    def test_refuses_in_words_what_is_no_reward_model(self, chain, make_backbone, model_folder):
        with pytest.raises(LabError, match="could not be loaded"):
            loaded(chain["sft"], make_backbone(), model_folder)


def fitted(model, rankings, size):
    backbone = model.role.backbone
    return fit_of(model, in_passes(rankings, size, backbone, World()), TrunkCache(backbone), World())


class TestFit:
    def test_counts_an_equal_score_half(self, make_backbone, tokenizer):
        silent = RewardModel(Role(make_backbone(), None), ScalarHead(32, spread=0.0, seed=0))
        rankings = [RankedAnswers(family(tokenizer, GOOD, FAIR, BAD), [(0, 1), (0, 2), (1, 2)])]

        assert fitted(silent, rankings, 2).accuracy == 0.5

    def test_is_the_mean_over_comparisons_whatever_the_batches(self, make_backbone, tokenizer):
        model = RewardModel(Role(make_backbone(), None), ScalarHead(32, spread=1.0, seed=0))
        rankings = [
            RankedAnswers(
                family(tokenizer, GOOD, FAIR, BAD, "For two, in one pot."),
                [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3)],
            ),
            RankedAnswers(family(tokenizer, GOOD, FAIR), [(1, 0)]),
            RankedAnswers(family(tokenizer, FAIR, BAD, "For two, in one pot."), [(2, 0)]),
        ]

        one, two, three = (fitted(model, rankings, size) for size in (1, 2, 3))

        assert one.accuracy == two.accuracy == three.accuracy
        for other in (two, three):
            assert one.mean == pytest.approx(other.mean, abs=1e-6)
            assert one.deviation == pytest.approx(other.deviation, abs=1e-6)


class TestScoredRankings:
    def test_are_the_same_whatever_the_batches(self, make_backbone, tokenizer):
        model = RewardModel(Role(make_backbone(), None), ScalarHead(32, spread=1.0, seed=0))
        three = family(tokenizer, GOOD, FAIR, BAD)
        rankings = [RankedAnswers(three, [(0, 1)], row=ranking(number)) for number in range(3)]

        one, two, all_of_them = (scored_rankings(model, rankings, size, World()) for size in (1, 2, 3))

        for some in (two, all_of_them):
            assert [found.scores for found in some] == [
                pytest.approx(found.scores, abs=1e-5) for found in one
            ]
        assert list(one[0].lengths.values()) == [len(completion) for completion in three.completions]

    def test_keep_each_score_with_its_completion(self, make_backbone, tokenizer):
        model = RewardModel(Role(make_backbone(), None), ScalarHead(32, spread=1.0, seed=0))
        texts = [(GOOD, FAIR, BAD), (BAD, BAD, GOOD)]
        rankings = [
            RankedAnswers(family(tokenizer, *some), [(0, 1)], row=ranking(number))
            for number, some in enumerate(texts)
        ]

        found = {one.prompt_id: one for one in scored_rankings(model, rankings, 2, World())}

        for number, some in enumerate(texts):
            alone = model.raw_scores(pad(answered(tokenizer, *some))).tolist()
            assert found[number].scores == pytest.approx(dict(zip((1, 2, 3), alone, strict=True)), abs=1e-5)


class TestCollate:
    @pytest.fixture(params=[True, False], ids=["shared rows", "a row each"])
    def backbone(self, request, make_backbone):
        backbone = make_backbone()
        backbone.shares_prefix = request.param
        return backbone

    def test_keeps_comparisons_within_their_ranking_and_weighs_rankings_equally(self, backbone, tokenizer):
        three, two = family(tokenizer, GOOD, FAIR, BAD), family(tokenizer, FAIR, BAD)

        part = collate([RankedAnswers(three, [(0, 1), (0, 2)]), RankedAnswers(two, [(1, 0)])], backbone)

        assert list(zip(part.chosen.tolist(), part.rejected.tolist(), strict=True)) == [
            (0, 1),
            (0, 2),
            (4, 3),
        ]
        assert shares(part.said.weights, part.said.comparison_of)[0].tolist() == [0.5, 0.5, 1.0]
        said = [part.batch.tokens[n][part.batch.mask[n].bool()].tolist() for n in range(5)]
        assert said == three.completions + two.completions

    def test_scores_each_completion_as_if_it_stood_alone(self, backbone, tokenizer):
        add_random_role(backbone, "reward")
        model = RewardModel(Role(backbone.double(), "reward"), ScalarHead(32, spread=1.0, seed=0).double())
        three = family(tokenizer, GOOD, FAIR, BAD)
        two = family(tokenizer, FAIR, "For two, in one pot.", question="Pie?")

        part = collate([RankedAnswers(three, [(0, 1)]), RankedAnswers(two, [(0, 1)])], backbone)

        alone = [model.scores(pad([one])) for one in three.sequences() + two.sequences()]
        torch.testing.assert_close(model.scores(part.batch), torch.cat(alone), rtol=0, atol=1e-6)

    def test_moves_a_score_with_its_answer(self, backbone, tokenizer):
        """T1: shuffled answers have shuffled scores, and the loss stays what it was."""
        model = RewardModel(Role(backbone, None), ScalarHead(32, spread=1.0, seed=0))
        texts, order = [GOOD, FAIR, BAD, "For two, in one pot."], [2, 0, 3, 1]
        comparisons = [(0, 1), (0, 2), (3, 2)]
        moved = [(order.index(better), order.index(worse)) for better, worse in comparisons]

        before = collate([RankedAnswers(family(tokenizer, *texts), comparisons)], backbone)
        shuffled = family(tokenizer, *(texts[place] for place in order))
        after = collate([RankedAnswers(shuffled, moved)], backbone)

        scores, again = model.scores(before.batch), model.scores(after.batch)
        torch.testing.assert_close(again, scores[order], rtol=0, atol=1e-5)
        losses = [
            ranking_loss(RewardConfig(), one, part.said) for one, part in ((scores, before), (again, after))
        ]
        torch.testing.assert_close(*losses, rtol=0, atol=1e-5)


def test_a_model_that_cannot_share_a_prompt_learns_the_same(lab, run, chain, monkeypatch):
    start = chain["sft"].result_path
    monkeypatch.setattr(Backbone, "shares_prefix", False)

    alone = lab.run("reward", model=start)

    losses, shared_losses = ([line["loss"] for line in r.read_metrics()[0][:-1]] for r in (alone, run))
    assert losses == pytest.approx(shared_losses, abs=1e-3)
    assert alone.outcome().summary == run.outcome().summary
