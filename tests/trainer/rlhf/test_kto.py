import pytest
import torch
from transformers import AutoModelForCausalLM

from tests.trainer.rlhf.kitchen import BAD, FAIR, GOOD, opinion, user
from tests.trainer.rlhf.test_dpo import move, preference
from trainer.handoff.configs import KTOConfig
from trainer.rlhf.batches import completion_ids, prompt_ids
from trainer.rlhf.kto import Opinion, beside_strangers, completion_logprobs, refer, usual_reward
from trainer.rlhf.modeling import Role
from trainer.rlhf.ranking_losses import implicit_rewards, kto_loss
from trainer.rlhf.world import World

CONFIG = KTOConfig(beta=0.3)


@pytest.fixture
def policy(make_backbone):
    backbone = make_backbone()
    backbone.add_role("policy", seed=0)
    return Role(backbone, "policy")


@pytest.fixture
def asked(tokenizer):
    def said(dish, text, is_good):
        prompt = prompt_ids(tokenizer, [user(f"How do I make {dish}?")])
        return Opinion(prompt, completion_ids(tokenizer, text, 99), is_good)

    return beside_strangers([said("tea", GOOD, True), said("pie", BAD, False), said("jam", FAIR, True)])


class TestLoss:
    def test_is_a_half_where_the_policy_is_its_reference(self, policy, asked):
        part = refer(CONFIG, policy, asked)

        rewards = implicit_rewards(completion_logprobs(policy, part.own), part.ref_own, CONFIG.beta)
        loss = kto_loss(rewards, 0.0, part.signs, part.weights)

        assert loss.item() == pytest.approx(len(asked) / 2, abs=1e-4)
        assert usual_reward(CONFIG, policy, [part], World()) == pytest.approx(0, abs=1e-5)

    def test_is_the_papers_formula(self):
        """Ethayarajh et al. 2024, eq. 8, with λ_D = λ_U = 1, written as λ_y − v(x, y)."""
        rewards, baseline = torch.tensor([1.5, -0.5]), 0.4

        loss = kto_loss(rewards, baseline, torch.tensor([1.0, -1.0]), torch.ones(2))

        gains = torch.sigmoid(torch.tensor([1.5 - 0.4, 0.4 - -0.5]))
        torch.testing.assert_close(loss, (1 - gains).sum())

    @pytest.mark.parametrize(("sign", "way"), [(1.0, 1), (-1.0, -1)])
    def test_pulls_good_answers_up_and_bad_ones_down(self, sign, way):
        rewards = torch.zeros(1, requires_grad=True)

        kto_loss(rewards, 0.3, torch.tensor([sign]), torch.ones(1)).backward()

        assert -rewards.grad.item() * way > 0

    def test_of_what_counts_twice_is_that_of_two(self):
        rewards, signs = torch.tensor([0.7]), torch.tensor([-1.0])

        once, twice = (kto_loss(rewards, 0.1, signs, torch.full((1,), weight)) for weight in (1.0, 2.0))

        assert twice.item() == pytest.approx(2 * once.item())


class TestUsualReward:
    def test_is_that_of_answers_to_other_prompts(self, policy, asked):
        part = refer(CONFIG, policy, asked)
        move(policy)
        moved = completion_logprobs(policy, part.other) - part.ref_other

        found = usual_reward(CONFIG, policy, [part], World())

        assert found == pytest.approx(max(0.0, 0.3 * moved.mean().item()), abs=1e-5)

    def test_does_not_depend_on_how_a_batch_is_dealt_out(self, policy, asked):
        whole = [refer(CONFIG, policy, asked)]
        parts = [refer(CONFIG, policy, [one]) for one in asked]
        move(policy)

        found = [usual_reward(CONFIG, policy, some, World()) for some in (whole, parts)]

        assert found[0] == pytest.approx(found[1], abs=1e-5)

    def test_puts_no_prompt_beside_its_own_answer(self, asked):
        assert all(one.stranger != one.opinion.completion for one in asked)


class TestRun:
    @pytest.mark.parametrize("changes", [{}, {"lora_rank": 0, "rows_per_pass": 2}])
    def test_comes_to_tell_good_from_bad(self, lab, changes):
        run = lab.run("kto", **changes)

        assert run.outcome().succeeded, run.outcome()
        lines = run.read_metrics()[0]
        assert lines[0]["loss"] > lines[-2]["loss"]
        assert run.outcome().summary["held_out_accuracy"] == 1.0

    def test_publishes_a_policy_that_says_what_was_called_good(self, lab, tokenizer):
        run = lab.run("kto", epochs=16)

        prompt = prompt_ids(tokenizer, [user("How do I make tea?")])
        before, after = (
            preference(AutoModelForCausalLM.from_pretrained(folder), tokenizer, prompt)
            for folder in (lab.model, run.result_path)
        )
        assert after > before + 0.5

    def test_refuses_feedback_that_is_all_praise(self, lab):
        run = lab.run("kto", rows=[opinion(number, label=True) for number in range(3)])

        assert run.outcome().reason.startswith("KTO needs good answers and bad ones")
