"""The oracle: where everything a policy can say is listed, PPO's expected gradient must be the gradient of
E[score − β·KL(π‖π_ref)]. It catches any slip of masks, positions, signs, temperature or bookkeeping."""

from types import SimpleNamespace

import pytest
import torch

from tests.trainer.rlhf.tiny_policies import add_random_role, all_completions, in_double, tiny_policy
from trainer.rlhf.advantages import generalized_advantages, shape_rewards
from trainer.rlhf.batches import answer_sequence, pad
from trainer.rlhf.losses import policy_loss
from trainer.rlhf.modeling import Role, ScalarHead, learned_states, token_logprobs

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
        ref_logprobs=ref_logprobs,
        weights=logprobs.exp(),
        gradient=gradient,
    )


def ppo_gradient(world, values_of, gae_lambda=1.0):
    """The mean of PPO's gradient at ratio 1, each completion weighted by how often it is said."""
    backbone, batch = world.backbone, world.batch
    states = learned_states(Role(backbone, "policy").hidden(batch), batch)
    logprobs = token_logprobs(backbone, states, batch, world.temperature)
    old, values = logprobs.detach(), values_of(states.detach()).detach() * batch.mask
    rewards = shape_rewards(world.scores, old, world.ref_logprobs, batch.mask, BETA)
    advantages = generalized_advantages(rewards, values, batch.mask, gamma=1.0, gae_lambda=gae_lambda)
    # The loss is a mean over tokens; the objective a sum over tokens and a mean over what is said.
    weighted = advantages * world.weights[:, None] * batch.mask.sum()
    loss = policy_loss(logprobs, old, weighted, batch.mask, clip_range=0.2)
    return torch.autograd.grad(-loss, world.parameters)


def assert_same(ours, exact):
    for one, other in zip(ours, exact, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)
    assert max(gradient.abs().max() for gradient in exact) > 1e-3


class TestExpectedPPOGradient:
    def test_everything_that_can_be_said_is_listed(self, world):
        assert world.weights.sum().item() == pytest.approx(1, abs=1e-12)

    def test_is_the_gradient_of_score_minus_kl(self, world):
        assert_same(
            ppo_gradient(world, lambda states: torch.zeros(states.shape[:2]).double()), world.gradient
        )

    def test_does_not_depend_on_the_values(self, world):
        """True only if a value knows no more than the tokens before its own."""
        critic = ScalarHead(16, spread=1.0, seed=2).double()

        assert_same(ppo_gradient(world, critic), world.gradient)

    def test_is_another_one_when_the_advantages_are_biased(self, world):
        """The oracle itself can fail: λ < 1 with wrong values has another gradient."""
        critic = ScalarHead(16, spread=1.0, seed=2).double()

        with pytest.raises(AssertionError):
            assert_same(ppo_gradient(world, critic, gae_lambda=0.5), world.gradient)


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


@torch.no_grad()
def kl_along(world, said):
    """KL(π‖π_ref) of the next token, summed over the prefixes of a completion."""
    policy, reference = (next_tokens(world, role, said) for role in ("policy", None))
    return (policy.exp() * (policy - reference)).sum().item()


def next_tokens(world, role, said):
    with world.backbone.speaking(role):
        logits = world.backbone.model(torch.tensor([PROMPT + said]), use_cache=False).logits[0]
    return (logits / world.temperature).log_softmax(-1)[len(PROMPT) - 1 : -1]
