"""What a model says before a run and after it, to the same few prompts."""

import pytest
import torch

from tests.trainer.rlhf.kitchen import run_program
from trainer.handoff.records import DemonstrationRecord, read_records
from trainer.rlhf.batches import prompt_ids
from trainer.rlhf.loading import load_tokenizer
from trainer.rlhf.modeling import Role
from trainer.rlhf.side_by_side import PROMPTS, SideBySide, prompts_in
from trainer.rlhf.world import World


def beside(run):
    return [sample for sample in run.read_samples() if "base" in sample]


@pytest.mark.parametrize("kind", ["sft", "ppo"])
class TestARun:
    def test_ends_with_answers_beside_those_of_its_start(self, chain, kind):
        answers = beside(chain[kind])

        assert answers == chain[kind].read_samples()[-len(answers) :]
        assert 0 < len(answers) <= PROMPTS
        assert len({answer["prompt_id"] for answer in answers}) == len(answers)

    def test_says_of_its_start_what_the_start_says(self, chain, kind, make_backbone, model_folder, lab):
        """With a learning rate of next to nothing, nothing changes."""
        model = chain["sft"].result_path if kind == "ppo" else None
        reward_model = chain["reward"].result_path if kind == "ppo" else None
        still = lab.directory(kind, model=model, reward_model=reward_model, learning_rate=1e-30)
        assert run_program(still.path) == 0

        answers = beside(still)

        assert [answer["completion"] for answer in answers] == [answer["base"] for answer in answers]
        if kind == "sft":  # and other runs from there say the same of it
            assert [a["base"] for a in answers] == [a["base"] for a in beside(chain["sft"])]


class TestAnswers:
    def test_are_the_likeliest_tokens(self, chain, make_backbone, model_folder):
        tokenizer = load_tokenizer(str(model_folder))
        data = chain["sft"].data_path("demonstrations.parquet")
        role = Role(make_backbone(), None)

        said = SideBySide(role, tokenizer, data, max_prompt_tokens=99, longest=5, world=World()).before

        for prompt, answer in zip(prompts_in(data, tokenizer, 99).values(), said, strict=True):
            ids = list(prompt)
            for token in answer.tokens:
                with torch.no_grad():
                    logits = role.backbone.model(torch.tensor([ids])).logits[0, -1]
                assert token == int(logits.argmax())
                ids.append(token)

    def test_are_to_held_out_prompts_first_and_to_none_that_is_too_long(self, chain, model_folder):
        tokenizer = load_tokenizer(str(model_folder))
        data = chain["sft"].data_path("demonstrations.parquet")
        rows = {row.prompt_id: row for row in read_records(data, DemonstrationRecord)}
        held_out = {pk for pk, row in rows.items() if row.split == "held_out"}

        asked = list(prompts_in(data, tokenizer, 99))

        assert held_out
        assert set(asked[: len(held_out)]) == held_out or set(asked) <= held_out
        shortest = min(len(prompt_ids(tokenizer, row.messages)) for row in rows.values())
        assert prompts_in(data, tokenizer, shortest - 1) == {}
