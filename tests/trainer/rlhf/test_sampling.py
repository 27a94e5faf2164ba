import pytest
import torch

from tests.trainer.rlhf.tiny_policies import END, add_random_role, tiny_policy
from trainer.rlhf.batches import answer_sequence, pad
from trainer.rlhf.modeling import Role, learned_states, token_logprobs
from trainer.rlhf.randomness import uniforms
from trainer.rlhf.sampling import sample

PROMPTS = [[1, 2, 3], [4], [2, 2, 4, 1, 3, 2, 1], [3, 1], [4, 4, 4, 4]]


@pytest.fixture
def policy():
    backbone = tiny_policy()
    add_random_role(backbone, "policy")
    return Role(backbone, "policy")


def say(policy, prompts, *, repeats=1, temperature=1.0, longest=8, seed=0, anybody=bool):
    return sample(
        policy,
        prompts,
        repeats=repeats,
        temperature=temperature,
        max_new_tokens=longest,
        eos=END,
        luck=uniforms(len(prompts) * repeats, longest, seed),
        anybody=anybody,
    )


def scored(policy, prompts, said, temperature):
    """The log-probabilities of what was said, the way an update computes them."""
    batch = pad([answer_sequence(p, s.tokens) for p, s in zip(prompts, said, strict=True)])
    with torch.no_grad():
        logprobs = token_logprobs(
            policy.backbone, learned_states(policy.hidden(batch), batch), batch, temperature
        )
    return [row[: len(s.tokens)].tolist() for row, s in zip(logprobs, said, strict=True)]


def next_token_distribution(policy, prompt, temperature):
    with torch.no_grad(), policy.backbone.speaking(policy.name):
        return (policy.backbone.model(torch.tensor([prompt])).logits[0, -1] / temperature).softmax(-1)


class TestSample:
    @pytest.mark.parametrize("temperature", [1.0, 0.6])
    def test_log_probabilities_are_those_that_an_update_computes(self, policy, temperature):
        """Prompts of unequal lengths; rows leave the batch as they end."""
        prompts = PROMPTS * 4

        said = say(policy, prompts, temperature=temperature)

        assert len({len(s.tokens) for s in said}) > 3
        for sampled, again in zip(said, scored(policy, prompts, said, temperature), strict=True):
            assert sampled.logprobs == pytest.approx(again, abs=1e-4)

    def test_says_the_same_where_others_need_it_to_go_on(self, policy):
        prompts, passes = [[4], [1, 2]], []
        policy.backbone.decoder.register_forward_hook(lambda *_: passes.append(1))
        alone = say(policy, prompts, seed=3)
        passes.clear()

        said = say(policy, prompts, seed=3, anybody=lambda here: True)

        assert max(len(one.tokens) for one in alone) < 8
        assert said == alone
        assert len(passes) == 8

    def test_a_prompt_that_is_read_once_says_what_its_copies_would(self, policy):
        copies = [prompt for prompt in PROMPTS for _ in range(4)]

        said, by_copies = say(policy, PROMPTS, repeats=4), say(policy, copies)

        assert [s.tokens for s in said] == [s.tokens for s in by_copies]

    def test_a_completion_ends_with_its_only_end_mark_or_is_cut(self, policy):
        said = say(policy, PROMPTS * 4, longest=2)

        assert {s.finished for s in said} == {True, False}
        for one in said:
            assert one.tokens.count(END) == int(one.finished)
            assert one.tokens[-1] == END if one.finished else len(one.tokens) == 2

    def test_the_same_seed_says_the_same(self, policy):
        assert say(policy, PROMPTS, seed=3) == say(policy, PROMPTS, seed=3)
        assert say(policy, PROMPTS, seed=3) != say(policy, PROMPTS, seed=4)

    def test_a_completion_does_not_depend_on_who_stands_beside_it(self, policy):
        """Neither on who is first, nor on who leaves early: its luck is its own."""
        together = say(policy, PROMPTS)

        luck = uniforms(len(PROMPTS), 8, 0)
        for row, prompt in enumerate(PROMPTS):
            [alone] = sample(
                policy, [prompt], temperature=1.0, max_new_tokens=8, eos=END, luck=luck[row : row + 1]
            )
            assert alone.tokens == together[row].tokens

    @pytest.mark.parametrize("temperature", [1.0, 0.5])
    def test_tokens_come_as_often_as_the_policy_says(self, policy, temperature):
        """A chi-square test; 27.9 is exceeded once in 100,000 draws of 4 degrees of freedom."""
        count = 4000

        said = say(policy, [PROMPTS[0]] * count, temperature=temperature, longest=1)

        expected = count * next_token_distribution(policy, PROMPTS[0], temperature)
        seen = torch.bincount(torch.tensor([s.tokens[0] for s in said]), minlength=5)
        assert ((seen - expected) ** 2 / expected).sum() < 27.9

    def test_a_lower_temperature_is_surer(self, policy):
        surprise = [
            -sum(s.logprobs[0] for s in say(policy, [PROMPTS[0]] * 200, temperature=temperature, longest=1))
            for temperature in (1.0, 0.3)
        ]

        assert surprise[1] < surprise[0]

    def test_a_neighbour_changes_nothing_but_the_luck(self, policy):
        """Left padding and rows that leave: what is likely in company is as likely alone."""
        said = say(policy, PROMPTS)

        for prompt, one in zip(PROMPTS, said, strict=True):
            assert one.logprobs == pytest.approx(scored(policy, [prompt], [one], 1.0)[0], abs=1e-4)

    def test_an_impossible_token_is_notdrawn_even_by_a_luck_of_0(self):
        from trainer.rlhf.sampling import draw

        logits = torch.tensor([[-torch.inf, 0.0, 0.0]])

        token, logprob = draw(logits, torch.zeros(1))

        assert (token.item(), logprob.exp().item()) == (1, pytest.approx(0.5))
