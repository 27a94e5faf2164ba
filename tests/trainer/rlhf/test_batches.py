import random
from itertools import groupby

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tiny_model import tiny_tokenizer
from tests.trainer.rlhf.kitchen import GOOD, TEXTS, assistant, chatml_tokenizer, user
from trainer.rlhf.batches import (
    PLAIN_TEMPLATE,
    TokenSequence,
    answer_sequence,
    completion_ids,
    dialogue_sequence,
    length_buckets,
    pad,
    prompt_ids,
)
from trainer.rlhf.errors import LabError
from trainer.rlhf.modeling import Role, ScalarHead, learned_states, token_logprobs
from trainer.rlhf.reward import RewardModel

texts = st.text(st.characters(codec="utf-8"), max_size=20)
keep_fixtures = settings(max_examples=25, suppress_health_check=list(HealthCheck))


def plain_tokenizer():
    tokenizer = tiny_tokenizer(TEXTS)
    tokenizer.chat_template = PLAIN_TEMPLATE
    return tokenizer


@pytest.fixture(scope="module", params=["tiny", "ChatML", "plain"])
def any_tokenizer(request):
    make = {"tiny": lambda: tiny_tokenizer(TEXTS), "ChatML": chatml_tokenizer, "plain": plain_tokenizer}
    return make[request.param]()


def spans(sequence):
    """The runs of learned positions."""
    runs = groupby(enumerate(sequence.learned), key=lambda item: item[1] - item[0])
    return [[position for _, position in run] for _, run in runs]


class TestDialogueSequence:
    @keep_fixtures
    @given(first=texts, between=texts, second=texts)
    def test_learns_exactly_what_the_assistant_said_and_its_end_mark(
        self, any_tokenizer, first, between, second
    ):
        turns = [assistant(first), user(between), assistant(second)]

        sequence = dialogue_sequence(any_tokenizer, [user("How do I make tea?")], turns, limit=999)

        learned = [[sequence.ids[position] for position in span] for span in spans(sequence)]
        assert [any_tokenizer.decode(ids) for ids in learned] == [
            text + any_tokenizer.eos_token for text in (first, second)
        ]

    @keep_fixtures
    @given(first=texts, between=texts, second=texts)
    def test_has_before_each_answer_what_sampling_would_start_from(
        self, any_tokenizer, first, between, second
    ):
        messages, turns = [user("Tea?")], [assistant(first), user(between), assistant(second)]

        sequence = dialogue_sequence(any_tokenizer, messages, turns, limit=999)

        starts = [span[0] for span in spans(sequence)]
        assert [sequence.ids[:start] for start in starts] == [
            prompt_ids(any_tokenizer, messages),
            prompt_ids(any_tokenizer, [*messages, *turns[:2]]),
        ]

    def test_does_not_teach_to_stop_where_an_answer_was_cut(self, any_tokenizer):
        turns = [assistant(GOOD), user("And then?"), assistant("No.")]

        sequence = dialogue_sequence(any_tokenizer, [user("Tea?")], turns, limit=2)

        first, second = spans(sequence)
        end = any_tokenizer.eos_token_id
        assert end not in [sequence.ids[position] for position in first]
        assert sequence.ids[first[-1] + 1] == end  # what follows still sees where the turn ended
        assert GOOD.startswith(any_tokenizer.decode([sequence.ids[position] for position in first]))
        assert sequence.ids[second[-1]] == end

    def test_refuses_a_template_that_changes_earlier_turns(self):
        tokenizer = tiny_tokenizer(TEXTS)
        tokenizer.chat_template = "{{ messages | length }}" + tokenizer.chat_template

        with pytest.raises(LabError, match="changes earlier turns"):
            dialogue_sequence(
                tokenizer, [user("Tea?")], [assistant("Yes."), user("And?"), assistant("No.")], 99
            )

    def test_learns_nothing_of_an_assistant_turn_in_the_prompt(self, tokenizer):
        messages = [user("Tea?"), assistant("Green or black?"), user("Green.")]

        sequence = dialogue_sequence(tokenizer, messages, [assistant(GOOD)], 99)

        [span] = spans(sequence)
        assert tokenizer.decode([sequence.ids[position] for position in span]) == GOOD + tokenizer.eos_token


class TestCompletionIds:
    @keep_fixtures
    @given(text=texts)
    def test_are_the_text_and_one_end_mark(self, any_tokenizer, text):
        ids = completion_ids(any_tokenizer, text, limit=999)

        assert any_tokenizer.decode(ids) == text + any_tokenizer.eos_token
        assert ids.count(any_tokenizer.eos_token_id) == 1


class TestPadding:
    """The pad token is the end mark in ChatML: only lengths can tell padding from text."""

    @pytest.fixture
    def sequences(self, chatml):
        prompts = [
            prompt_ids(chatml, [user(text)]) for text in ("Tea?", "How do I make a very good soup?", "Pie?")
        ]
        answers = [completion_ids(chatml, text, 99) for text in ("For two, in one pot.", "No.", "")]
        return [answer_sequence(*both) for both in zip(prompts, answers, strict=True)]

    @pytest.fixture
    def backbone(self, make_backbone, chatml_folder):
        return make_backbone(lora_rank=0, folder=chatml_folder)

    def logprobs(self, backbone, batch):
        return token_logprobs(backbone, learned_states(backbone.hidden(None, batch), batch), batch)

    def test_changes_no_log_probability(self, sequences, backbone):
        together = self.logprobs(backbone, pad(sequences))

        for row, sequence in enumerate(sequences):
            alone = self.logprobs(backbone, pad([sequence]))[0]
            torch.testing.assert_close(together[row, : len(alone)], alone, rtol=0, atol=1e-5)
            assert torch.equal(together[row, len(alone) :], torch.zeros_like(together[row, len(alone) :]))

    def test_changes_no_score(self, sequences, backbone):
        model = RewardModel(Role(backbone, None), ScalarHead(backbone.hidden_size, spread=1.0, seed=0))

        together = model.scores(pad(sequences))

        alone = torch.cat([model.scores(pad([sequence])) for sequence in sequences])
        torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)

    def test_log_probabilities_are_those_of_the_tokens_that_came(self, sequences, backbone):
        logprobs = self.logprobs(backbone, pad(sequences))

        for row, sequence in enumerate(sequences):
            predicted = backbone.model(torch.tensor([sequence.ids])).logits[0].log_softmax(-1)
            by_hand = [
                predicted[position - 1, sequence.ids[position]].item() for position in sequence.learned
            ]
            assert logprobs[row, : len(by_hand)].tolist() == pytest.approx(by_hand, abs=1e-5)


class TestBatch:
    SEQUENCES = [
        TokenSequence(ids=[5, 6, 7], learned=[2]),
        TokenSequence(ids=[5, 6, 7, 8, 9], learned=[1, 4]),
        TokenSequence(ids=[3, 4], learned=[1]),
    ]

    @given(st.lists(st.integers(0, 2), min_size=1, max_size=5))
    def test_its_rows_are_the_batch_of_those_sequences(self, chosen):
        part = pad(self.SEQUENCES).rows(torch.tensor(chosen))

        alone = pad([self.SEQUENCES[row] for row in chosen])
        for name, expected in vars(alone).items():
            assert torch.equal(getattr(part, name), expected), name

    def test_counts_real_tokens_only(self):
        assert pad(self.SEQUENCES).token_count == 10


class TestLengthBuckets:
    @given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 7), st.integers(0, 99))
    def test_hold_every_item_once_next_to_its_like(self, lengths, size, seed):
        items = list(range(len(lengths)))

        batches = length_buckets(items, lengths, size, random.Random(seed))

        assert sorted(item for batch in batches for item in batch) == items
        by_length = sorted(batches, key=lambda batch: [lengths[item] for item in batch])
        assert [lengths[item] for batch in by_length for item in batch] == sorted(lengths)
        assert all(len(batch) <= size for batch in batches)

    def test_come_in_random_order(self):
        items = list(range(50))

        orders = {str(length_buckets(items, items, 5, random.Random(seed))) for seed in range(5)}

        assert len(orders) == 5
