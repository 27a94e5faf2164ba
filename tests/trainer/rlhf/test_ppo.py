import dataclasses
import hashlib
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F

from tests.trainer.rlhf.tiny_policies import END, add_random_role, tiny_policy
from trainer.handoff.configs import PPOConfig
from trainer.rlhf.batches import answer_sequence, pad
from trainer.rlhf.errors import LabError
from trainer.rlhf.flight import Flight
from trainer.rlhf.learner import Learner
from trainer.rlhf.modeling import Role, ScalarHead, learned_states, token_logprobs
from trainer.rlhf.ppo import accumulate_losses, accumulate_pretraining_loss, check_step_zero, ppo_losses
from trainer.rlhf.ppo import update as update_once
from trainer.rlhf.randomness import uniforms
from trainer.rlhf.rollouts import Models, collect_rollout, judge, sampled_sequence
from trainer.rlhf.sampling import Sampled
from trainer.rlhf.sft import sft_loss
from trainer.rlhf.world import World

LIKED = 2
PROMPTS = [[1, 2, 3], [4], [3, 1, 4, 1], [1, 1]]
CONFIG = PPOConfig(
    dtype="float32",
    lora_rank=4,
    learning_rate=1e-2,
    rollout_size=32,
    minibatch_size=8,
    max_new_tokens=6,
    missing_eos_penalty=0.0,
)


@dataclass(frozen=True)
class LikesOneToken:
    """A reward model whose taste is plain to see: the share of LIKED in a completion and its end mark."""

    role: Role

    def scores(self, batch, trunk=None):
        length = batch.last - batch.source[:, 0]
        return ((batch.tokens == LIKED) * batch.mask).sum(1) / length


def make_models(*, seed=0, learning_rate=CONFIG.learning_rate):
    backbone = tiny_policy(lora_rank=4, seed=seed)
    backbone.add_role("policy", seed=0)
    policy = Role(backbone, "policy")
    models = Models(
        policy=policy,
        reference=Role(backbone, None),
        reward=LikesOneToken(Role(backbone, None)),
        critic=policy,
        value_head=ScalarHead(backbone.hidden_size, spread=0.0, seed=0),
    )
    learner = Learner(
        {**backbone.learned_by("policy"), "value": models.value_head.weight},
        learning_rate=learning_rate,
        learning_rates={"value": CONFIG.value_learning_rate},
        world=World(),
    )
    return models, learner


def roll_out(models, config=CONFIG, seed=0, conversations=()):
    prompts = PROMPTS * (config.rollout_size // len(PROMPTS))
    luck = uniforms(config.rollout_size, config.max_new_tokens, seed)
    return collect_rollout(
        config,
        models,
        prompts,
        conversations=conversations,
        eos=END,
        luck=luck,
        kl_coef=config.kl_coef,
        world=World(),
    )


def update(config, models, learner, rollout, iteration=1):
    """All passes over a rollout."""
    flight = Flight(models.policy.backbone, config.rows_per_pass)
    flight.begin(rollout)
    for index in flight.minibatches_to_go(config, iteration):
        flight.note(update_once(config, models, learner, rollout, index, []))
    return flight


def digest(tensors):
    return hashlib.sha256(b"".join(t.detach().numpy().tobytes() for t in tensors)).hexdigest()


@torch.no_grad()
def said_first(models, role):
    """(prompts, V): the log-probabilities of a completion's first token."""
    backbone = models.policy.backbone
    with backbone.speaking(role):
        logits = [backbone.model(torch.tensor([prompt])).logits[0, -1] for prompt in PROMPTS]
    return torch.stack(logits).log_softmax(-1)


@pytest.fixture
def models():
    return make_models()[0]


class TestFirstRollout:
    def test_has_ratio_1_and_no_drift(self, models):
        rollout = roll_out(models)

        losses = ppo_losses(CONFIG, models, rollout, torch.arange(32))

        assert torch.equal(rollout.measured.logprobs, rollout.measured.ref_logprobs)
        assert rollout.ref_kl().abs().max() == 0
        assert losses["approx_kl"].item() == pytest.approx(0, abs=1e-9)
        assert losses["clip_fraction"].item() == 0
        check_step_zero(rollout, torch.float32)

    def test_is_refused_when_the_reference_is_another_model(self, models):
        stranger = Role(tiny_policy(seed=9), None)

        rollout = roll_out(dataclasses.replace(models, reference=stranger))

        with pytest.raises(LabError, match="differs from its reference"):
            check_step_zero(rollout, torch.float32)

    def test_is_refused_when_it_was_sampled_from_something_else(self, models):
        rollout = roll_out(models)
        samples = [
            dataclasses.replace(sample, logprobs=[one - 0.01 for one in sample.logprobs])
            for sample in rollout.samples
        ]
        off = dataclasses.replace(rollout, samples=samples)

        with pytest.raises(LabError, match="Sampling and scoring disagree"):
            check_step_zero(off, torch.float32)

    def test_is_refused_when_it_holds_no_numbers(self, models):
        rollout = roll_out(models)
        measured = dataclasses.replace(rollout.measured, logprobs=rollout.measured.logprobs * float("nan"))
        broken = dataclasses.replace(rollout, measured=measured)

        with pytest.raises(LabError):
            check_step_zero(broken, torch.float32)


class TestUpdate:
    def test_policy_learns_what_the_reward_model_likes(self):
        config = dataclasses.replace(CONFIG, kl_coef=0.01)
        models, learner = make_models()

        history = []
        for seed in range(8):
            rollout = roll_out(models, config, seed)
            update(config, models, learner, rollout, iteration=seed)
            history.append(rollout.metrics(World()))

        first, last = history[0], history[-1]
        assert last["score"] > first["score"] + 0.2
        assert last["ref_kl"] > 0.5

    def test_solves_a_bandit_of_one_token_within_the_drift_that_it_takes(self):
        """LIKED scores more than 0, all else 0. To say nothing else is log 1/p away from a start that says it
        with probability p."""
        # Enough completions an update that luck, and a processor's rounding, cannot lead it astray.
        config = dataclasses.replace(
            CONFIG, kl_coef=0.0, max_new_tokens=1, rollout_size=128, minibatch_size=64
        )
        models, learner = make_models(seed=4, learning_rate=1e-2)
        with torch.no_grad():  # fresh heads are so small that adapters below them say nothing for sure
            models.policy.backbone.model.get_output_embeddings().weight.mul_(3)
        start = said_first(models, None)

        for seed in range(24):
            update(config, models, learner, roll_out(models, config, seed), iteration=seed)

        end = said_first(models, "policy")
        drift = (end.exp() * (end - start)).sum(-1)
        assert start[:, LIKED].exp().max() < 0.5
        assert end[:, LIKED].exp().min() > 0.95
        assert (drift <= -start[:, LIKED]).all()

    def test_a_higher_price_keeps_the_policy_nearer_to_its_reference(self):
        drifts = []
        for kl_coef in (0.0, 2.0):
            config = dataclasses.replace(CONFIG, kl_coef=kl_coef)
            models, learner = make_models()
            for seed in range(6):
                update(config, models, learner, roll_out(models, config, seed), iteration=seed)
            drifts.append(roll_out(models, config, seed=99).ref_kl().mean().item())

        free, dear = drifts
        assert free > 1
        assert dear < free / 3

    def test_leaves_the_reference_and_the_other_roles_as_they_are(self):
        models, learner = make_models()
        backbone = models.policy.backbone
        reward = add_random_role(backbone, "reward")
        trained = {id(parameter) for parameter in learner.parameters.values()}
        frozen = [p for p in backbone.parameters() if id(p) not in trained]
        before = digest(frozen), digest(reward), digest(backbone.role_parameters("policy"))

        update(CONFIG, models, learner, roll_out(models))

        assert (digest(frozen), digest(reward)) == before[:2]
        assert digest(backbone.role_parameters("policy")) != before[2]

    @pytest.mark.parametrize(("vf_coef", "learns"), [(0.1, True), (0.0, False)])
    def test_the_value_head_learns_from_the_value_loss_alone(self, vf_coef, learns):
        models, learner = make_models()
        before = digest(models.value_head.parameters())

        config = dataclasses.replace(CONFIG, vf_coef=vf_coef)
        update(config, models, learner, roll_out(models))

        assert (digest(models.value_head.parameters()) != before) == learns

    @pytest.mark.parametrize(("target", "passes"), [(1e-9, 1), (0.0, 4)])
    def test_ends_its_passes_early_once_it_drifted_far_enough(self, target, passes):
        models, learner = make_models()
        config = dataclasses.replace(CONFIG, target_approx_kl=target)

        update(config, models, learner, roll_out(models, config))

        assert learner.step == passes * config.rollout_size // config.minibatch_size


class TestLosses:
    def test_of_one_row_are_those_it_has_in_company(self, models):
        """Minibatches are padded less than the rollout; sums over tokens must not notice."""
        rollout = roll_out(models)
        lengths = rollout.batch.mask.sum(1)
        assert len(set(lengths.tolist())) > 1

        whole = ppo_losses(CONFIG, models, rollout, torch.arange(32))
        alone = [ppo_losses(CONFIG, models, rollout, torch.tensor([row])) for row in range(32)]

        for name, loss in whole.items():
            mean = sum(one[name] * n for one, n in zip(alone, lengths, strict=True)) / lengths.sum()
            torch.testing.assert_close(loss, mean, rtol=0, atol=1e-5)


class TestAccumulateLosses:
    @pytest.mark.parametrize("rows_per_pass", [1, 3, 8])
    def test_has_the_gradient_of_one_pass_however_few_rows_go_at_once(self, rows_per_pass):
        models, _ = make_models()
        rollout = roll_out(models)
        # A policy that has moved since: at ratio 1 some terms vanish.
        parameters = add_random_role(models.policy.backbone, "policy")
        index = torch.arange(0, 32, 3)

        gradients, losses = [], []
        for rows in (32, rows_per_pass):
            config = dataclasses.replace(CONFIG, rows_per_pass=rows)
            tokens = rollout.lengths[index].sum()
            losses.append(accumulate_losses(config, models, rollout, index, tokens, World()))
            gradients.append([parameter.grad.clone() for parameter in parameters])
            for parameter in parameters:
                parameter.grad = None

        assert losses[0] == pytest.approx(losses[1], abs=1e-6)
        for whole, summed in zip(*gradients, strict=True):
            assert torch.allclose(whole, summed, atol=1e-6)
        assert any(whole.abs().max() > 1e-4 for whole in gradients[0])


class TestPretrainingMix:
    """PPO-ptx: texts that the policy is to keep knowing."""

    TEXTS = [answer_sequence([1, 2], [3, 4, END]), answer_sequence([4], [LIKED])]

    @pytest.mark.parametrize("rows_per_pass", [1, 16])
    def test_adds_the_gradient_of_their_nats_per_token_times_its_weight(self, models, rows_per_pass):
        """InstructGPT 2022, eq. 2."""
        policy, batch = models.policy, pad(self.TEXTS)
        parameters = add_random_role(policy.backbone, "policy")
        config = dataclasses.replace(CONFIG, ptx_coef=3.0, rows_per_pass=rows_per_pass)

        measured = accumulate_pretraining_loss(config, policy, self.TEXTS, World())

        states = learned_states(policy.hidden(batch), batch)
        nats = -token_logprobs(policy.backbone, states, batch).sum() / 4
        assert measured["ptx_loss"] == pytest.approx(nats.item(), abs=1e-6)
        for parameter, gradient in zip(parameters, torch.autograd.grad(3.0 * nats, parameters), strict=True):
            torch.testing.assert_close(parameter.grad, gradient, rtol=1e-5, atol=1e-5)

    def test_makes_them_likelier_than_the_score_alone_leaves_them(self):
        losses = []
        for mix in ([], self.TEXTS):
            config = dataclasses.replace(CONFIG, ptx_coef=1.0)
            models, learner = make_models()
            rollout = roll_out(models, config)
            for _ in range(8):
                update_once(config, models, learner, rollout, torch.arange(32), mix)
            with torch.no_grad():
                losses.append(sft_loss(models.policy, pad(self.TEXTS), None, 4).item())

        without, mixed = losses
        assert mixed < without - 0.2


class TestRollout:
    def test_has_whitened_advantages(self, models):
        rollout = roll_out(models)

        real = rollout.advantages[rollout.batch.mask.bool()]
        assert real.mean().item() == pytest.approx(0, abs=1e-5)
        assert real.var(correction=0).item() == pytest.approx(1, abs=1e-3)

    def test_has_the_reward_to_go_as_its_returns_whatever_the_values(self, models):
        """Where λ = 1. On the first rollout there is no drift: all that comes is the score."""
        guesses = dataclasses.replace(models, value_head=ScalarHead(16, spread=1.0, seed=0))

        rollout = roll_out(guesses, dataclasses.replace(CONFIG, gae_lambda=1.0))

        mask = rollout.batch.mask
        assert rollout.measured.values.abs().max() > 1
        torch.testing.assert_close(rollout.returns * mask, rollout.scores[:, None] * mask)


class TestRolloutMetrics:
    def test_do_not_change_with_padding(self, models):
        rollout = roll_out(models)
        wide = {
            name: F.pad(getattr(rollout.measured, name), (0, 3), value=7.0)
            for name in ("logprobs", "ref_logprobs", "values")
        }
        padded = dataclasses.replace(
            rollout,
            batch=dataclasses.replace(rollout.batch, mask=F.pad(rollout.batch.mask, (0, 3))),
            measured=dataclasses.replace(rollout.measured, **wide),
            returns=F.pad(rollout.returns, (0, 3), value=7.0),
        )

        assert padded.metrics(World()) == pytest.approx(rollout.metrics(World()), abs=1e-6)

    def test_entropy_is_above_0(self, models):
        assert roll_out(models).metrics(World())["entropy"] > 0


class TestJudge:
    SAID = [
        Sampled(tokens=[LIKED, END], logprobs=[-1.0, -1.0], finished=True),
        Sampled(tokens=[LIKED], logprobs=[-1.0], finished=False),
    ]

    def judged(self, models, **settings):
        config = dataclasses.replace(CONFIG, **settings)
        batch = pad([sampled_sequence(p, s, END) for p, s in zip(PROMPTS, self.SAID, strict=False)])
        return judge(config, models.reward.scores(batch), self.SAID).tolist()

    def test_scores_a_cut_completion_as_if_it_had_ended(self, models):
        assert self.judged(models) == [0.5, 0.5]

    def test_takes_the_penalty_from_a_cut_completion_alone(self, models):
        assert self.judged(models, missing_eos_penalty=2.0) == [0.5, -1.5]

    def test_the_end_mark_behind_a_cut_completion_is_not_learned(self):
        ended, cut = (sampled_sequence([1, 2], said, END) for said in self.SAID)

        assert ended.ids == cut.ids == [1, 2, LIKED, END]
        assert (ended.learned, cut.learned) == ([2, 3], [2])

    def test_keeps_scores_within_their_clip(self, models):
        assert self.judged(models, score_clip=0.25) == [0.25, 0.25]


def test_a_run_stops_at_its_target_drift(lab, chain):
    reward_model = chain["reward"].result_path

    run = lab.run(
        "ppo", reward_model=reward_model, iterations=50, target_ref_kl=0.1, lora_rank=0, learning_rate=3e-3
    )

    lines, count = run.read_metrics()
    assert 1 < count < 50
    assert lines[-1]["ref_kl"] >= 0.1
    assert all(line["ref_kl"] < 0.1 for line in lines[:-1])
