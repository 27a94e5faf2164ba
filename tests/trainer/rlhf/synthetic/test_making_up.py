"""Dialogues of two agents and expanded prompts, from a real HTTP server and from a tiny local model."""

import pytest

from tests.trainer.rlhf.kitchen import both_splits, prompt, run_program, said
from trainer.handoff.configs import ConfigError, build_config
from trainer.rlhf.synthetic.dialogues import END, scenes
from trainer.rlhf.synthetic.expansion import likeness, read_prompts, three_letter_pieces


def is_user(body):
    return body["messages"][0]["content"].startswith("You play a person")


class TestDialogues:
    def test_are_played_by_a_user_and_an_assistant_in_turn(self, scripted, carry_out):
        asked = scripted(
            lambda body, number: said(f"Question {number}?" if is_user(body) else f"Answer {number}.")
        )

        run = carry_out("generate")

        lines = run.read_samples()
        assert len(lines) == 6
        assert lines[0]["messages"] == [
            {"role": "user", "content": "Question 1?"},
            {"role": "assistant", "content": "Answer 2."},
            {"role": "user", "content": "Question 3?"},
            {"role": "assistant", "content": "Answer 4."},
        ]
        third = asked[2][1]["messages"]
        assert [turn["role"] for turn in third] == ["user", "assistant", "user"]
        assert [turn["content"] for turn in third[1:]] == ["Question 1?", "Answer 2."]
        assert [turn["role"] for turn in asked[3][1]["messages"]] == ["system", "user", "assistant", "user"]

    def test_end_when_the_user_has_what_they_need(self, scripted, carry_out):
        scripted(
            lambda body, number: said(
                (f"Thanks! {END}" if len(body["messages"]) > 1 else "Tea?") if is_user(body) else "Boil it."
            )
        )

        run = carry_out("generate")

        assert all(len(line["messages"]) == 2 for line in run.read_samples())

    def test_leave_out_an_answer_that_was_cut(self, scripted, carry_out):
        def cut_later(body, number):
            return (
                said("Tea?")
                if is_user(body)
                else said("Boil", reason="length" if number % 4 == 0 else "stop")
            )

        scripted(cut_later)

        run = carry_out("generate")

        assert {len(line["messages"]) for line in run.read_samples()} == {2}

    def test_count_as_unusable_without_one_whole_exchange(self, scripted, carry_out):
        scripted(lambda body, number: said("" if number % 2 else "Hm."))

        outcome = carry_out("generate").outcome()

        assert "empty 6" in outcome.reason

    def test_ask_each_of_two_servers_for_its_part(self, scripted, carry_out, monkeypatch):
        asked = scripted(lambda body, number: said("Tea?"))

        carry_out("generate", user_model="endpoint:kitchen/user", model="endpoint:kitchen/assistant")

        assert {(body["model"], is_user(body)) for _key, body in asked} == {
            ("user", True),
            ("assistant", False),
        }

    def test_show_the_user_no_held_out_prompt(self, scripted, carry_out):
        asked = scripted(lambda body, number: said("Tea?"))
        rows = both_splits(prompt)
        for row in rows[6:]:
            row.messages[0]["content"] = "A secret of the held-out."

        carry_out("generate", rows=rows, dialogues=20)

        assert not [body for _key, body in asked if "secret" in str(body)]

    def test_come_from_a_checkpoint_of_this_machine_too(self, carry_out, model_folder):
        run = carry_out("generate", model=str(model_folder), batch_size=4, dtype="float32", max_new_tokens=6)

        lines = run.read_samples()
        assert sorted(line["item"] for line in lines) == list(range(6))
        # Random weights hardly ever end a message by themselves: what is cut is counted.
        assert {line["problem"] for line in lines} <= {"", "cut", "empty"}
        assert all(line["tokens"] > 6 for line in lines)


class TestScenes:
    def test_combine_every_topic_with_every_persona_before_any_comes_again(self):
        config = build_config("generate", {"topics": "tea\n\nsoup", "personas": "a\nb\nc", "dialogues": 9})

        found = [(scene.topic, scene.persona) for scene in scenes(config, [])]

        assert len(set(found[:6])) == 6
        assert len(found) == 9
        assert found == [(scene.topic, scene.persona) for scene in scenes(config, [])]


class TestExpansion:
    def test_takes_what_is_marked_and_new(self, scripted, carry_out):
        scripted(
            lambda body, number: said(
                f"Here they are.\nPROMPT: What is the number {number * 7919}?\n"
                f"PROMPT: How do I make rice?\nPROMPT: A third, which nobody wanted, of {number}."
            )
        )

        run = carry_out("expand")

        lines = run.read_samples()
        assert [line["prompts"] for line in lines[:1]] == [["What is the number 7919?"]]
        assert {"prompts": 4, "alike": 4}.items() <= run.outcome().summary.items()
        assert {(line["kind"], line["language"]) for line in lines} == {("question", "en")}

    def test_shows_examples_of_the_train_split(self, scripted, carry_out):
        asked = scripted(lambda body, number: said("PROMPT: What is new?"))

        run = carry_out("expand", requests=20)

        assert {number for line in run.read_samples() for number in line["made_from"]} == set(range(6))
        assert all(body["messages"][0]["content"].count("PROMPT: How do I make") == 4 for _key, body in asked)

    def test_makes_nothing_twice_after_a_cut(self, scripted, prepare):
        scripted(lambda body, number: said("PROMPT: Which wine goes with fish?"))
        run = prepare("expand")
        run_program(run.path)
        lines = (run.path / "samples.jsonl").read_text().splitlines(keepends=True)
        (run.path / "samples.jsonl").write_text("".join(lines[:2]))
        (run.path / "DONE").unlink()

        run_program(run.path)

        assert run.outcome().summary["prompts"] == 1

    def test_needs_an_example(self, scripted, carry_out):
        scripted(lambda body, number: said("PROMPT: New?"))

        outcome = carry_out("expand", rows=[prompt(1, split="held_out")]).outcome()

        assert "There is no example" in outcome.reason

    @pytest.mark.parametrize(
        ("reply", "found"),
        [
            ("PROMPT: One?\nPROMPT: Two?\nin two lines", ["One?", "Two?\nin two lines"]),
            ("**PROMPT:** One?", ["One?"]),
            ("PROMPT:\nPROMPT: Two?", ["Two?"]),
            ("1. One?\n2. Two?", []),
            ("Say PROMPT: here", []),
        ],
    )
    def test_reads_nothing_but_what_is_marked(self, reply, found):
        assert read_prompts(reply, finished=True) == found

    def test_does_not_take_a_prompt_that_was_cut(self):
        assert read_prompts("PROMPT: One?\nPROMPT: Tw", finished=False) == ["One?"]

    def test_likeness_is_of_any_language(self):
        def alike(one, other):
            return likeness(three_letter_pieces(one), three_letter_pieces(other))

        assert alike("How do I make tea?", "how do  I make tea?") == 1
        assert alike("如何煮一锅好喝的鸡汤?", "如何煮一锅好喝的鱼汤?") > 0.4
        assert alike("How do I make tea?", "Who wrote Hamlet?") < 0.1


class TestTemplates:
    @pytest.mark.parametrize(
        ("kind", "field", "text", "words"),
        [
            ("generate", "user_template", "You are {persona}.", "{topic}"),
            ("generate", "user_template", "{persona} {topic} {topci}", "without {topci}"),
            ("generate", "assistant_template", "As {persona}", "without {persona}"),
            ("expand", "expand_template", "More!", "{examples}"),
            ("judge", "judge_template", "{prompt} {letters}", "{answers}"),
            ("judge", "judge_template", "{prompt} {answers}", "{letters}"),
            ("generate", "topics", " \n ", "at least one line"),
            ("generate", "user_model", "gpt-4", "endpoint:NAME"),
        ],
    )
    def test_that_lack_a_place_are_refused_by_their_field(self, kind, field, text, words):
        with pytest.raises(ConfigError) as refusal:
            build_config(kind, {field: text})

        assert refusal.value.field == field
        assert words in refusal.value.allowed

    def test_may_hold_other_braces(self):
        text = '{prompt} {answers} {letters} {"order": ["A"]}'

        assert build_config("judge", {"judge_template": text}).judge_template == text


class TestDryRun:
    @pytest.mark.parametrize(
        ("kind", "words"),
        [
            ("generate", ["6, 0 of them finished", "24 at most", "You play a person"]),
            ("expand", ["4, 0 of them finished", "4 at most", "PROMPT: How do I make"]),
            ("judge", ["4, 0 of them finished", "8 at most", "once, the best first"]),
        ],
    )
    def test_tells_what_would_be_asked_and_asks_nothing(self, prepare, capsys, kind, words):
        run = prepare(kind, most_tokens=500)

        assert run_program(run.path, "--dry-run") == 0

        told = capsys.readouterr().out
        assert [word for word in [*words, "most_tokens 500"] if word not in told] == []
        assert not (run.path / "samples.jsonl").exists()
