import pytest
import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM

from tests.trainer.rlhf.kitchen import BAD, FAIR, GOOD, ranking, user
from trainer.handoff.configs import DPOConfig
from trainer.rlhf.batches import Family, answer_sequence, completion_ids, pad, prompt_ids
from trainer.rlhf.dpo import completion_logprobs, margins, policy_loss, refer
from trainer.rlhf.modeling import Role, learned_states, token_logprobs
from trainer.rlhf.rankings import RankedAnswers, collate

ORDER = [(0, 1), (0, 2), (1, 2)]


def answers(tokenizer, *texts, comparisons=ORDER):
    prompt = prompt_ids(tokenizer, [user("How do I make tea?")])
    return RankedAnswers(Family(prompt, [completion_ids(tokenizer, text, 99) for text in texts]), comparisons)


@pytest.fixture
def policy(make_backbone):
    backbone = make_backbone()
    backbone.add_role("policy", seed=0)
    return Role(backbone, "policy")


def move(policy, spread=0.05):
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in policy.backbone.role_parameters("policy"):
            parameter.add_(spread * torch.randn(parameter.shape, generator=generator))


class TestLoss:
    @pytest.mark.parametrize("loss", ["bradley_terry", "plackett_luce"])
    def test_starts_where_the_policy_is_its_reference(self, policy, tokenizer, loss):
        """ln 2 for each comparison; for an order of three all 3! orders are as likely, in two choices."""
        part = refer(policy, collate([answers(tokenizer, GOOD, FAIR, BAD)], policy.backbone))

        value = policy_loss(DPOConfig(loss=loss), completion_logprobs(policy, part.rankings), part)

        expected = {"bradley_terry": 0.6931, "plackett_luce": 1.7918 / 2}[loss]
        assert value.item() == pytest.approx(expected, abs=1e-4)

    def test_of_two_answers_is_the_papers_formula(self, policy, tokenizer):
        """Rafailov et al. 2023, eq. 7, from plain forwards of each answer alone."""
        ranked = answers(tokenizer, GOOD, BAD, comparisons=[(0, 1)])
        part = refer(policy, collate([ranked], policy.backbone))
        move(policy)

        loss = policy_loss(DPOConfig(beta=0.3), completion_logprobs(policy, part.rankings), part)

        ratios = []
        for completion in ranked.family.completions:
            batch = pad([answer_sequence(ranked.family.prompt, completion)])
            said = [
                token_logprobs(policy.backbone, learned_states(role.hidden(batch), batch), batch).sum()
                for role in (policy, Role(policy.backbone, None))
            ]
            ratios.append(said[0] - said[1])
        expected = -F.logsigmoid(0.3 * (ratios[0] - ratios[1]))
        torch.testing.assert_close(loss, expected, rtol=0, atol=1e-5)

    def test_sends_no_gradient_to_the_reference(self, policy, tokenizer):
        part = refer(policy, collate([answers(tokenizer, GOOD, FAIR, BAD)], policy.backbone))

        assert not part.ref_logprobs.requires_grad
        assert (margins(1.0, completion_logprobs(policy, part.rankings).detach(), part) == 0).all()


class TestRun:
    @pytest.mark.parametrize("changes", [{}, {"loss": "plackett_luce"}, {"lora_rank": 0}])
    def test_comes_to_prefer_what_people_prefer(self, lab, changes):
        run = lab.run("dpo", **changes)

        assert run.outcome().succeeded, run.outcome()
        lines = run.read_metrics()[0]
        assert lines[0]["loss"] > lines[-2]["loss"]
        assert lines[-2]["reward_margin"] > lines[0]["reward_margin"]
        assert run.outcome().summary["held_out_accuracy"] == 1.0

    def test_publishes_a_policy_that_says_it(self, lab, tokenizer):
        run = lab.run("dpo", epochs=8)

        prompt = prompt_ids(tokenizer, [user("How do I make tea?")])
        before, after = (
            preference(AutoModelForCausalLM.from_pretrained(folder), tokenizer, prompt)
            for folder in (lab.model, run.result_path)
        )
        assert after > before + 0.5

    def test_refuses_rankings_that_prefer_nothing(self, lab):
        run = lab.run("dpo", rows=[ranking(number, tiers=[[1, 2, 3]]) for number in range(3)])

        assert run.outcome().reason.startswith("No ranking to learn from: of 3 rankings")

    def test_a_tie_teaches_no_preference(self, lab):
        rows = [ranking(number, tiers=[[1, 2], [3]]) for number in range(4)]

        assert lab.run("dpo", rows=rows).outcome().summary["comparisons"] == 8


@torch.no_grad()
def preference(model, tokenizer, prompt):
    """By how many nats GOOD is more likely than BAD."""
    nats = []
    for text in (GOOD, BAD):
        answer = completion_ids(tokenizer, text, 99)
        logits = model(torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
        nats.append(sum(logits[len(prompt) - 1 + t, token].item() for t, token in enumerate(answer)))
    return nats[0] - nats[1]
