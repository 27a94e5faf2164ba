"""Layers spread over two processes (gloo): the same losses and weights, with half of the layers in each."""

from unittest.mock import patch

import pytest
import torch
from torch import nn

from tests.trainer.rlhf.kitchen import ROWS, run_program
from tests.trainer.rlhf.test_world import SETTINGS, assert_like, in_processes, what_it_learned
from trainer.handoff.configs import DPOConfig, RewardConfig
from trainer.rlhf.__main__ import STOPPED
from trainer.rlhf.batches import TokenSequence, pad
from trainer.rlhf.dpo import completion_logprobs, policy_loss, refer
from trainer.rlhf.judgements import TIE_MODELS, ranking_loss
from trainer.rlhf.learner import Learner
from trainer.rlhf.modeling import FULL, Role, ScalarHead
from trainer.rlhf.rankings import collate
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.reward_models import RewardModel
from trainer.rlhf.sft import sft_loss
from trainer.rlhf.sharding import clip_gradients, cut_like, shard_layers, whole
from trainer.rlhf.world import World

TEXT = TokenSequence(list(range(5, 15)), [4, 5, 6])
RANKING_LOSSES = ["bradley_terry", "plackett_luce", *TIE_MODELS]


def few(kind):
    """Five rows to learn from and one held out: with two processes one of them has often nothing to say."""
    return [*ROWS[kind][2][:5], ROWS[kind][2][6]]


class TestSpreadRun:
    @pytest.mark.parametrize(
        ("kind", "way"),
        [
            ("sft", {"lora_rank": 0}),
            ("sft", {"lora_rank": 4}),
            ("sft", {"lora_rank": 0, "patience": 1, "gradient_checkpointing": True}),
            ("reward", {"lora_rank": 0}),
            ("reward", {"lora_rank": 4, "loss": "davidson", "center_coef": 0.01}),
            ("dpo", {"lora_rank": 0}),
            ("dpo", {"lora_rank": 4, "lora_layers": 0, "loss": "plackett_luce"}),
            ("kto", {"lora_rank": 4}),
        ],
    )
    def test_learns_what_one_process_learns(self, lab, kind, way):
        settings = {**SETTINGS[kind], "rows": few(kind), "rows_per_pass": 1, **way}
        alone = lab.run(kind, name="alone", **settings)
        spread = lab.directory(kind, name="spread", shard=True, **settings)

        in_processes(2, run_program, spread.path)

        assert_like(what_it_learned(spread), what_it_learned(alone), tolerance=2e-4)

    @pytest.mark.parametrize(
        "way",
        [
            {"lora_rank": 4},
            {"lora_rank": 4, "critic": "policy", "rollout_size": 5, "minibatch_size": 5},
            {"lora_rank": 0, "ema_decay": 0.5},
        ],
    )
    def test_samples_and_learns_from_it_as_one_process_does(self, lab, chain, way):
        """Some end early, some have one row less: all go through the layers equally often."""
        inputs = {"model": chain["sft"].result_path, "reward_model": chain["reward"].result_path}
        settings = {**SETTINGS["ppo"], "rows_per_pass": 1, **inputs, **way}
        alone = lab.run("ppo", name="alone", **settings)
        spread = lab.directory("ppo", name="spread", shard=True, **settings)

        in_processes(2, run_program, spread.path)

        assert_like(what_it_learned(spread), what_it_learned(alone), tolerance=2e-4)
        said = [[sample["completion"] for sample in run.read_samples()] for run in (spread, alone)]
        assert said[0] == said[1]

    def test_may_have_weights_of_two_types(self, lab):
        settings = {"dtype": "bfloat16", "lora_rank": 4, "rows": few("sft"), "batch_size": 4}
        alone = lab.run("sft", name="alone", **settings)
        spread = lab.directory("sft", name="spread", shard=True, **settings)

        in_processes(2, run_program, spread.path)

        assert_like(what_it_learned(spread), what_it_learned(alone), tolerance=2e-2)

    @pytest.mark.parametrize("processes", [(2, 2), (2, 1), (1, 3)])
    def test_goes_on_after_a_stop_with_as_many_processes_or_others(self, lab, processes):
        settings = {**SETTINGS["sft"], "lora_rank": 0, "epochs": 4, "rows": few("sft"), "shard": True}
        unbroken = lab.run("sft", name="unbroken", **settings)
        stopped = lab.directory("sft", name="stopped", **settings)

        in_processes(processes[0], run_until, stopped.path, 5)
        assert stopped.latest_checkpoint().step < 8
        in_processes(processes[1], run_program, stopped.path)

        assert_like(what_it_learned(stopped), what_it_learned(unbroken), tolerance=2e-4)

    def test_of_one_process_is_as_any_other(self, lab):
        spread = lab.run("sft", name="spread", lora_rank=0, shard=True)

        lines, weights = what_it_learned(lab.run("sft", name="alone", lora_rank=0))

        assert what_it_learned(spread)[0] == lines
        assert all(torch.equal(weights[name], tensor) for name, tensor in what_it_learned(spread)[1].items())


def run_until(path, lines):
    """As if SIGTERM came once so many lines are logged."""
    log = Reporter.step

    def step(self, *args, **values):
        log(self, *args, **values)
        self.stopping |= len(self.directory.read_metrics()[0]) >= lines

    with patch.object(Reporter, "step", step):
        assert run_program(path) == STOPPED


class TestSpreadLayers:
    def test_are_half_in_each_process_with_gradients_and_moments(self, make_backbone):
        def check():
            world = World()
            backbone = make_backbone(lora_rank=0)
            before = {name: tensor.clone() for name, tensor in backbone.model.named_parameters()}
            backbone.add_role(FULL, 0)
            shard_layers(backbone, world)
            learner = Learner(backbone.learned_by(FULL), learning_rate=1e-3, world=world)
            sft_loss(Role(backbone, None), pad([TEXT]), None, 3).backward()
            layers = {n: p for n, p in learner.parameters.items() if ".layers." in n}
            for name, parameter in layers.items():
                assert 2 * parameter.to_local().numel() == before[name].numel()
                assert 2 * parameter.grad.to_local().numel() == before[name].numel()
                assert torch.equal(whole(parameter.detach()), before[name])
            learner.update()
            for name, parameter in layers.items():
                assert (
                    2 * learner.optimizer.state[parameter]["exp_avg"].to_local().numel()
                    == before[name].numel()
                )
            assert len(layers) == 27

        in_processes(2, check)

    def test_have_their_gradients_added_up_and_clipped_as_whole_ones(self, make_backbone):
        """Each process has the same text: the sum is twice the gradient of one."""

        def check():
            world = World()
            alone, spread = make_backbone(lora_rank=0), make_backbone(lora_rank=0)
            alone.add_role(FULL, 0)
            spread.add_role(FULL, 0)
            shard_layers(spread, world)
            (2 * sft_loss(Role(alone, None), pad([TEXT]), None, 3)).backward()
            sft_loss(Role(spread, None), pad([TEXT]), None, 3).backward()
            learned = spread.learned_by(FULL)
            world.sum_gradients(p for name, p in learned.items() if ".layers." not in name)

            expected = nn.utils.clip_grad_norm_(alone.parameters(), 0.1)
            norm = clip_gradients(learned.values(), 0.1, world)

            torch.testing.assert_close(norm, expected)
            for name, parameter in alone.learned_by(FULL).items():
                torch.testing.assert_close(whole(learned[name].grad), parameter.grad)

        in_processes(2, check)

    def test_are_cut_and_put_together_again(self):
        def check():
            from torch.distributed.device_mesh import init_device_mesh
            from torch.distributed.tensor import Shard, distribute_tensor

            World()
            mesh = init_device_mesh("cpu", (2,))
            part = distribute_tensor(torch.zeros(3, 2), mesh, [Shard(0)])
            numbers = torch.arange(6.0).view(3, 2)
            assert torch.equal(whole(cut_like(numbers, part)), numbers)
            assert cut_like(numbers, torch.zeros(3, 2)) is numbers
            assert whole(numbers) is numbers

        in_processes(2, check)

    def test_that_cannot_be_told_apart_are_refused_in_words(self, lab, monkeypatch):
        monkeypatch.setattr("trainer.rlhf.modeling.Backbone.layers", None)
        spread = lab.directory("sft", shard=True, lora_layers=0)

        in_processes(2, run_program_that_fails, spread.path)

        assert "set shard to false" in spread.outcome().reason


def run_program_that_fails(path):
    assert run_program(path) == 1


class TestAPassOfNothing:
    """What a process does that has no row: the layers speak, and nothing is learned."""

    def assert_teaches_nothing(self, loss, backbone):
        loss.backward()

        assert loss.item() == 0
        gradients = [parameter.grad for layer in backbone.layers for parameter in layer.parameters()]
        assert gradients
        assert all(gradient is not None and not gradient.any() for gradient in gradients)

    @pytest.fixture
    def backbone(self, make_backbone):
        made = make_backbone(lora_rank=0)
        made.add_role(FULL, 0)
        return made

    def test_of_demonstrations(self, backbone):
        nothing = pad([])

        self.assert_teaches_nothing(sft_loss(Role(backbone, None), nothing, None, 3), backbone)
        assert nothing.token_count == 0

    @pytest.mark.parametrize("loss", RANKING_LOSSES)
    def test_of_rankings_for_a_reward_model(self, backbone, loss):
        config = RewardConfig(loss=loss, center_coef=0.01)
        model = RewardModel(Role(backbone, None), ScalarHead(32, spread=1.0, seed=0))
        nothing = collate([], backbone)

        found = ranking_loss(config, model.raw_scores(nothing.batch), nothing.said, torch.zeros(()))

        self.assert_teaches_nothing(found, backbone)

    @pytest.mark.parametrize("loss", ["bradley_terry", "plackett_luce"])
    def test_of_rankings_for_a_policy(self, backbone, loss):
        policy, nothing = Role(backbone, None), collate([], backbone)
        referred = refer(policy, nothing)

        found = policy_loss(DPOConfig(loss=loss), completion_logprobs(policy, nothing), referred)

        self.assert_teaches_nothing(found, backbone)
