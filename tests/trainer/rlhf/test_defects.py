"""Mistakes that other trainers have made, where no other file here would notice them; ``docs/proofs.md`` has
the whole list."""

import dataclasses

import pytest
import torch

from tests.trainer.rlhf.kitchen import BAD, FAIR, GOOD, prompt, user
from tests.trainer.rlhf.test_ppo import CONFIG, digest, make_models, roll_out, update
from tests.trainer.rlhf.tiny_policies import add_random_role
from trainer.handoff.configs import CONFIGS, PPOConfig, RewardConfig, SFTConfig
from trainer.handoff.rundir import digest_of_folder
from trainer.rlhf.batches import Family, completion_ids, pad, prompt_ids
from trainer.rlhf.critics import make_critic
from trainer.rlhf.learner import Learner
from trainer.rlhf.loading import load_backbone
from trainer.rlhf.modeling import Role, ScalarHead, learned_states, token_logprobs
from trainer.rlhf.ppo import ppo_losses
from trainer.rlhf.reward_models import RewardModel, load_reward_model
from trainer.rlhf.world import World


class TestACriticOfItsOwn:
    """D3: a critic that learns from the policy's loss."""

    @pytest.fixture
    def models(self):
        models, _ = make_models()
        add_random_role(models.policy.backbone, "critic")
        return dataclasses.replace(models, critic=Role(models.policy.backbone, "critic"))

    def learned(self, models):
        backbone = models.policy.backbone
        critic = {**backbone.learned_by("critic"), "head": models.value_head.weight}
        return list(backbone.learned_by("policy").values()), list(critic.values())

    @pytest.mark.parametrize(("loss", "mover"), [("policy_loss", 0), ("value_loss", 1)])
    def test_gets_its_gradient_from_the_value_loss_and_the_policy_from_its_own(self, models, loss, mover):
        rollout = roll_out(models)
        learned = self.learned(models)

        ppo_losses(CONFIG, models, rollout, torch.arange(32))[loss].backward()

        moved = [any(p.grad is not None and p.grad.any() for p in parameters) for parameters in learned]
        assert moved == [mover == 0, mover == 1]

    def test_stands_still_where_its_loss_counts_nothing(self, models):
        policy, critic = self.learned(models)
        before = digest(policy), digest(critic)
        named = {str(number): parameter for number, parameter in enumerate(policy + critic)}
        learner = Learner(named, learning_rate=1e-2, world=World())

        update(dataclasses.replace(CONFIG, vf_coef=0.0), models, learner, roll_out(models))

        assert digest(critic) == before[1]
        assert digest(policy) != before[0]

    @pytest.mark.parametrize("lora_rank", [4, 0])
    def test_begins_with_the_scores_of_the_reward_model_as_its_values(self, chain, tokenizer, lora_rank):
        start = chain["sft"].result_path
        config = PPOConfig(dtype="float32", lora_rank=lora_rank, lora_layers=2)
        backbone = load_backbone(str(start), config)
        reward = load_reward_model(
            chain["reward"].result_path,
            shared=backbone,
            base_digest=digest_of_folder(start),
            dtype=torch.float32,
        )
        family = Family(
            prompt_ids(tokenizer, [user("How do I make tea?")]),
            [completion_ids(tokenizer, text, 99) for text in (GOOD, FAIR, BAD)],
        )
        batch = pad(family.sequences())

        critic, head = make_critic(config, Role(backbone, "policy" if lora_rank else None), reward)

        with torch.no_grad():
            values = head(critic.hidden(batch)[batch.row, batch.last])
        torch.testing.assert_close(values, reward.scores(batch), rtol=0, atol=1e-4)


def test_a_score_is_read_at_the_last_token_where_padding_and_every_turn_end_alike(
    make_backbone, chatml_folder, chatml
):
    """D13, D14: in ChatML the pad token is the end mark, which the user's turn ends with too."""
    backbone = make_backbone(lora_rank=0, folder=chatml_folder)
    head = ScalarHead(backbone.hidden_size, spread=1.0, seed=0)
    asked = prompt_ids(chatml, [user("Tea?")])
    sequences = Family(asked, [completion_ids(chatml, text, 99) for text in (GOOD, BAD, "")]).sequences()

    scores = RewardModel(Role(backbone, None), head).raw_scores(pad(sequences))

    assert asked.count(chatml.pad_token_id) == 1
    with torch.no_grad():
        alone = [backbone.decoder(torch.tensor([one.ids])).last_hidden_state[0, -1] for one in sequences]
    torch.testing.assert_close(scores, head(torch.stack(alone)), rtol=0, atol=1e-5)


def test_rollouts_of_one_prompt_differ_within_an_iteration_and_between_iterations(lab, chain):
    """D8: a generator that is seeded anew for every rollout."""
    run = lab.run(
        "ppo",
        rows=[prompt(0)],
        reward_model=chain["reward"].result_path,
        iterations=3,
        learning_rate=1e-9,
        value_learning_rate=1e-9,
    )

    said = run.read_samples()
    by_iteration = [[one["completion"] for one in said if one["step"] == step] for step in (1, 2, 3)]
    assert len({one for answers in by_iteration for one in answers}) > 9
    assert by_iteration[0] != by_iteration[1] != by_iteration[2] != by_iteration[0]


# What a model with random weights says is neither a prompt nor an order.
@pytest.mark.parametrize("kind", [kind for kind in CONFIGS if kind not in ("expand", "judge")])
def test_every_stage_runs_with_its_defaults(lab, chain, kind):
    """D17: a default that the code it is for cannot take."""
    settings = dataclasses.asdict(CONFIGS[kind]())
    settings |= {"ppo": {"iterations": 1}, "generate": {"dialogues": 2}}.get(kind, {})
    inputs = {"reward_model": chain["reward"].result_path} if kind == "ppo" else {}

    run = lab.run(kind, **settings, **inputs)

    assert run.outcome().succeeded, run.outcome().reason


class TestInBfloat16:
    """D18: figures that are rounded before they are added up."""

    @pytest.fixture
    def backbone(self, model_folder):
        return load_backbone(str(model_folder), RewardConfig(dtype="bfloat16"))

    @pytest.fixture
    def batch(self, tokenizer):
        start = prompt_ids(tokenizer, [user("Tea?")])
        return pad(Family(start, [completion_ids(tokenizer, text, 99) for text in (GOOD, BAD)]).sequences())

    def test_log_probabilities_and_scores_are_float32(self, backbone, batch):
        states = learned_states(backbone.hidden(None, batch), batch)
        model = RewardModel(Role(backbone, None), ScalarHead(backbone.hidden_size, spread=1.0, seed=0))

        assert states.dtype == torch.bfloat16
        assert token_logprobs(backbone, states, batch).dtype == torch.float32
        assert model.raw_scores(batch).dtype == torch.float32

    def test_log_probabilities_of_all_tokens_sum_to_1(self, backbone, batch):
        """Rounded to 8 bits they would miss by far more."""
        with torch.no_grad():
            logits = backbone.logits(backbone.hidden(None, batch))

        total = logits.log_softmax(-1).exp().sum(-1)

        torch.testing.assert_close(total, torch.ones_like(total), rtol=0, atol=1e-5)

    def test_the_weights_that_are_learned_are_float32(self, backbone, model_folder):
        whole = load_backbone(str(model_folder), SFTConfig(dtype="bfloat16", lora_rank=0))

        learned = [*backbone.add_role("reward", seed=0), *whole.add_role("full", seed=0)]

        assert {parameter.dtype for parameter in learned} == {torch.float32}
