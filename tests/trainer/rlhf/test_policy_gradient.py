"""The oracle: where everything a policy can say is listed, PPO's expected gradient must be the gradient of
E[score − β·KL(π‖π_ref)]. It catches any slip of masks, positions, signs, temperature or bookkeeping."""

from types import SimpleNamespace

import pytest
import torch

from tests.trainer.rlhf.tiny_policies import add_random_role, all_completions, in_double, tiny_policy
from trainer.handoff.configs import PPOConfig
from trainer.rlhf.advantages import generalized_advantages, shape_rewards
from trainer.rlhf.batches import answer_sequence, pad
from trainer.rlhf.losses import policy_loss
from trainer.rlhf.modeling import Role, ScalarHead, learned_states, token_logprobs
from trainer.rlhf.ppo import ppo_losses
from trainer.rlhf.rollouts import Models

PROMPT = [3, 1]
BETA = 0.3


def exact_gradient(model, parameters, completions, scores, ref_logprobs, temperature):
    """Of E[score − β·KL], by listing all completions, from nothing but the model's own logits."""
    logprobs = []
    for said in completions:
        logits = model(torch.tensor([PROMPT + said]), use_cache=False).logits[0] / temperature
        predicted = logits.log_softmax(-1)[len(PROMPT) - 1 : -1]
        logprobs.append(sum(predicted[t, token] for t, token in enumerate(said)))
    logprobs = torch.stack(logprobs)
    objective = (logprobs.exp() * (scores - BETA * (logprobs - ref_logprobs))).sum()
    return logprobs.detach(), torch.autograd.grad(objective, parameters)


@pytest.fixture(scope="module", params=[1.0, 0.7], ids=["temperature 1", "temperature 0.7"])
def world(request):
    """A policy that has left its reference, all it can say, and what each of it is worth. In float64."""
    backbone, temperature = tiny_policy(), request.param
    parameters = add_random_role(backbone, "policy")
    backbone.double()
    completions = all_completions(vocab=5, longest=3)
    scores = torch.randn(len(completions), generator=torch.Generator().manual_seed(4)).double()
    batch = in_double(pad([answer_sequence(PROMPT, said) for said in completions]))
    with torch.no_grad():
        states = learned_states(backbone.hidden(None, batch), batch)
        ref_logprobs = token_logprobs(backbone, states, batch, temperature)
        own = learned_states(backbone.hidden("policy", batch), batch)
        logprobs_by_token = token_logprobs(backbone, own, batch, temperature)
    with backbone.speaking("policy"):
        logprobs, gradient = exact_gradient(
            backbone.model, parameters, completions, scores, ref_logprobs.sum(1), temperature
        )
    return SimpleNamespace(
        backbone=backbone,
        parameters=parameters,
        completions=completions,
        scores=scores,
        batch=batch,
        temperature=temperature,
        logprobs=logprobs,
        logprobs_by_token=logprobs_by_token,
        ref_logprobs=ref_logprobs,
        weights=logprobs.exp(),
        gradient=gradient,
    )


def ppo_gradient(world, values_of, gae_lambda=1.0, shape=shape_rewards):
    """The mean of PPO's gradient at ratio 1, each completion weighted by how often it is said."""
    backbone, batch = world.backbone, world.batch
    states = learned_states(Role(backbone, "policy").hidden(batch), batch)
    logprobs = token_logprobs(backbone, states, batch, world.temperature)
    old, values = logprobs.detach(), values_of(states.detach()).detach() * batch.mask
    rewards = shape(world.scores, old, world.ref_logprobs, batch.mask, BETA)
    advantages = generalized_advantages(rewards, values, batch.mask, gamma=1.0, gae_lambda=gae_lambda)
    # The loss is a mean over tokens; the objective a sum over tokens and a mean over what is said.
    weighted = advantages * world.weights[:, None] * batch.mask.sum()
    loss = policy_loss(logprobs, old, weighted, batch.mask, clip_range=0.2)
    return torch.autograd.grad(-loss, world.parameters)


def nothing(states):
    """Values of 0."""
    return torch.zeros(states.shape[:2]).double()


def k3(log_ratio):
    """An estimate of the KL from the policy that sampled; ``log_ratio`` is the other's log π less its own."""
    return log_ratio.exp() - 1 - log_ratio


def assert_same(ours, exact):
    for one, other in zip(ours, exact, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)
    assert max(gradient.abs().max() for gradient in exact) > 1e-3


class TestExpectedPPOGradient:
    def test_everything_that_can_be_said_is_listed(self, world):
        assert world.weights.sum().item() == pytest.approx(1, abs=1e-12)

    def test_is_the_gradient_of_score_minus_kl(self, world):
        assert_same(ppo_gradient(world, nothing), world.gradient)

    def test_does_not_depend_on_the_values(self, world):
        """True only if a value knows no more than the tokens before its own."""
        critic = ScalarHead(16, spread=1.0, seed=2).double()

        assert_same(ppo_gradient(world, critic), world.gradient)

    def test_is_another_one_when_the_advantages_are_biased(self, world):
        """The oracle itself can fail: λ < 1 with wrong values has another gradient."""
        critic = ScalarHead(16, spread=1.0, seed=2).double()

        with pytest.raises(AssertionError):
            assert_same(ppo_gradient(world, critic, gae_lambda=0.5), world.gradient)

    def test_is_another_one_when_the_drift_is_priced_by_k3(self, world):
        """k3 has the mean of k1 and less noise, but not its gradient."""

        def shaped(scores, logprobs, ref_logprobs, mask, kl_coef):
            return shape_rewards(scores, k3(ref_logprobs - logprobs), torch.zeros_like(mask), mask, kl_coef)

        with pytest.raises(AssertionError):
            assert_same(ppo_gradient(world, nothing, shape=shaped), world.gradient)


class TestDrift:
    def test_of_all_that_the_policy_says_is_the_kl(self, world):
        """The mean log-ratio of whole completions is the sum of the KLs at every prefix that is reached."""
        kl = (world.weights * (world.logprobs - world.ref_logprobs.sum(1))).sum().item()

        by_prefix = sum(
            weight.item() * kl_along(world, said)
            for said, weight in zip(world.completions, world.weights, strict=True)
        )
        assert by_prefix == pytest.approx(kl, rel=1e-9)
        assert kl > 1e-2

    def test_estimates_agree_on_the_kl_and_k3_is_never_negative(self, world):
        """k1 of a rollout's ``ref_kl``, k3 of ``approx_kl``; single estimates differ."""
        drift = (world.logprobs_by_token - world.ref_logprobs) * world.batch.mask
        estimates = k3(-drift)

        mean_k1, mean_k3 = ((world.weights @ one.sum(1)).item() for one in (drift, estimates))

        assert mean_k3 == pytest.approx(mean_k1, rel=1e-9)
        assert (estimates >= 0).all()
        assert (drift < -1e-2).any()
        assert not torch.allclose(estimates, drift, atol=1e-2)

    def test_within_an_update_is_measured_as_the_kl_to_the_new_policy(self, world):
        """The stage's own ``approx_kl``, over all that the old policy can say; temperature and all."""
        backbone, batch = world.backbone, world.batch
        policy = Role(backbone, "policy")
        rollout = SimpleNamespace(
            batch=batch,
            trunk=None,
            measured=SimpleNamespace(logprobs=world.ref_logprobs, values=torch.zeros_like(batch.mask)),
            advantages=torch.zeros_like(batch.mask),
            returns=torch.zeros_like(batch.mask),
        )
        head = ScalarHead(16, spread=0.0, seed=0).double()
        models = Models(policy, Role(backbone, None), None, policy, head)
        config = PPOConfig(temperature=world.temperature)
        said_before = world.ref_logprobs.sum(1).exp()  # here the frozen model is the policy before the update

        with torch.no_grad():
            measured = sum(
                said_before[row].item()
                * batch.mask[row].sum().item()
                * ppo_losses(config, models, rollout, torch.tensor([row]))["approx_kl"].item()
                for row in range(len(batch.mask))
            )

        exact = (said_before * (world.ref_logprobs.sum(1) - world.logprobs)).sum().item()
        assert measured == pytest.approx(exact, rel=1e-9)
        assert exact > 1e-2


@torch.no_grad()
def kl_along(world, said):
    """KL(π‖π_ref) of the next token, summed over the prefixes of a completion."""
    policy, reference = (next_tokens(world, role, said) for role in ("policy", None))
    return (policy.exp() * (policy - reference)).sum().item()


def next_tokens(world, role, said):
    with world.backbone.speaking(role):
        logits = world.backbone.model(torch.tensor([PROMPT + said]), use_cache=False).logits[0]
    return (logits / world.temperature).log_softmax(-1)[len(PROMPT) - 1 : -1]
