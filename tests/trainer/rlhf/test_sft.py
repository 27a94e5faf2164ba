import pytest
import torch

from tests.trainer.rlhf.kitchen import GOOD, assistant, demonstration, user
from trainer.rlhf.batches import answer_sequence, completion_ids, dialogue_sequence, pad, prompt_ids
from trainer.rlhf.modeling import Role
from trainer.rlhf.randomness import uniforms
from trainer.rlhf.sampling import sample
from trainer.rlhf.sft import mean_loss, sft_loss
from trainer.rlhf.trunks import TrunkCache
from trainer.rlhf.world import World


@pytest.fixture
def sequences(tokenizer):
    texts = ["No.", GOOD, "For two, in one pot.", "", "Fry it."]
    return [
        dialogue_sequence(tokenizer, [user("Tea?")], [assistant(text), user("And?"), assistant(GOOD)], 99)
        for text in texts
    ]


@pytest.fixture
def learner(make_backbone):
    backbone = make_backbone(lora_layers=1)
    backbone.add_role("sft", seed=0)
    return Role(backbone, "sft")


class TestLoss:
    def test_is_that_of_the_model_itself_on_the_learned_tokens(self, learner, sequences):
        """transformers' own loss, with every other label masked."""
        batch = pad(sequences)
        labels = torch.full_like(batch.ids, -100)
        for row, sequence in enumerate(sequences):
            labels[row, sequence.learned] = batch.ids[row, sequence.learned]

        loss = sft_loss(learner, batch, TrunkCache(learner.backbone), batch.mask.sum())

        theirs = learner.backbone.model(
            input_ids=batch.ids, attention_mask=batch.attention, labels=labels
        ).loss
        torch.testing.assert_close(loss, theirs, rtol=0, atol=1e-5)

    def test_sends_no_gradient_for_what_the_user_said(self, make_backbone, tokenizer):
        """Were the user's tokens learned too, other words of theirs would have another gradient."""
        backbone = make_backbone(lora_rank=0)
        [head] = [backbone.model.get_output_embeddings()]
        backbone.add_role("sft", seed=0)
        hello = tokenizer("Hello").input_ids
        sequence = dialogue_sequence(tokenizer, [user("Hello")], [assistant("No.")], 99)

        hidden = backbone.hidden(None, pad([sequence]))
        hidden.retain_grad()
        states = hidden.gather(1, pad([sequence]).source[..., None].expand(-1, -1, hidden.shape[-1]))
        torch.log_softmax(head(states), -1).gather(2, pad([sequence]).tokens[..., None]).sum().backward()

        assert sequence.ids[1 : 1 + len(hello)] == hello
        assert torch.equal(hidden.grad[0, : len(hello)], torch.zeros_like(hidden.grad[0, : len(hello)]))

    @pytest.mark.parametrize("batch_size", [1, 2, 3])
    def test_held_out_is_the_mean_over_tokens_whatever_the_batches(self, learner, sequences, batch_size):
        whole = mean_loss(learner, sequences, 5, World())
        batch = pad(sequences)

        assert mean_loss(learner, sequences, batch_size, World()) == pytest.approx(whole, abs=1e-6)
        assert sft_loss(learner, batch, None, batch.mask.sum()).item() == pytest.approx(whole, abs=1e-6)


class TestTrunkCache:
    def test_gives_what_the_trunk_says_and_keeps_it(self, learner, sequences):
        batch, trunks = pad(sequences), TrunkCache(learner.backbone)

        first, second = trunks[batch], trunks[batch]

        assert torch.equal(first, learner.backbone.trunk(batch))
        assert second is first

    def test_gives_nothing_where_nothing_is_shared(self, make_backbone, sequences):
        assert TrunkCache(make_backbone(lora_rank=0))[pad(sequences)] is None


class TestRun:
    def test_learns_demonstrations_by_heart(self, lab, tokenizer, make_backbone):
        """With all weights: the tiny model's random embeddings let adapters say nothing for sure."""
        rows = [demonstration(number, turns=[assistant(GOOD)]) for number in range(8)]

        run = lab.run("sft", rows=rows, lora_rank=0, epochs=30, learning_rate=1e-2)

        assert run.outcome().summary["loss"] < 0.01
        policy = Role(make_backbone(folder=run.result_path, lora_rank=0), None)
        [said] = sample(
            policy,
            [prompt_ids(tokenizer, rows[0].messages)],
            temperature=0.1,
            max_new_tokens=20,
            eos=tokenizer.eos_token_id,
            luck=uniforms(1, 20, 0),
        )
        assert said.finished
        assert tokenizer.decode(said.tokens, skip_special_tokens=True) == GOOD

    def test_the_learning_rate_falls_once_along_a_cosine(self, lab):
        run = lab.run("sft", epochs=5, learning_rate=1e-3)

        rates = [line["learning_rate"] for line in run.read_metrics()[0] if "learning_rate" in line]
        assert rates[0] == 1e-3
        assert rates == sorted(rates, reverse=True)
        assert len(set(rates)) == len(rates)
        assert 1e-4 < rates[-1] < 2e-4

    def test_held_out_demonstrations_are_measured_but_not_learned(self, lab, chain, tokenizer, make_backbone):
        run = chain["sft"]

        summary = run.outcome().summary

        assert summary["demonstrations"] == 6
        policy = Role(make_backbone(folder=run.result_path, lora_rank=0), None)
        held_out = [
            dialogue_sequence(tokenizer, row.messages, row.turns, 512)
            for row in (demonstration(6), demonstration(7))
        ]
        assert summary["held_out_loss"] == pytest.approx(mean_loss(policy, held_out, 2, World()), abs=1e-3)

    def test_counts_demonstrations_whose_prompt_is_too_long(self, lab):
        rows = [demonstration(number) for number in range(3)]
        rows[0].messages[0]["content"] = "Please. " * 40

        run = lab.run("sft", rows=rows, max_prompt_tokens=60)

        assert run.outcome().summary["left_out"] == 1
        assert run.outcome().summary["demonstrations"] == 2


def test_an_answer_alone_is_learned_like_a_dialogue_of_one_turn(tokenizer):
    alone = answer_sequence(prompt_ids(tokenizer, [user("Tea?")]), completion_ids(tokenizer, GOOD, 99))

    assert dialogue_sequence(tokenizer, [user("Tea?")], [assistant(GOOD)], 99) == alone
