import pytest

from annotation.errors import (
    BadInput,
    EmptyTurn,
    LastTurnNotAssistant,
    LastTurnNotUser,
    MalformedRow,
    TextTooLong,
    TurnsMustAlternate,
    UnknownRole,
    UnusableText,
)
from annotation.messages import check_prompt, check_text, check_turns, digest_of


def said(*texts, first="user"):
    roles = ["user", "assistant"] if first == "user" else ["assistant", "user"]
    return [{"role": roles[i % 2], "content": text} for i, text in enumerate(texts)]


class TestCheckPrompt:
    def test_keeps_a_conversation_that_ends_with_the_user(self):
        assert check_prompt(said("Hi", "Hello", "Tea?")) == said("Hi", "Hello", "Tea?")

    def test_allows_one_system_message_in_front(self):
        messages = [{"role": "system", "content": "Be brief."}, *said("Tea?")]

        assert check_prompt(messages) == messages

    @pytest.mark.parametrize(
        ("messages", "refusal"),
        [
            ([], MalformedRow),
            ("Tea?", MalformedRow),
            (None, MalformedRow),
            ([{"role": "user"}], MalformedRow),
            ([{"role": "user", "content": 3}], MalformedRow),
            ([{"role": "wizard", "content": "Tea?"}], UnknownRole),
            ([{"role": ["user"], "content": "Tea?"}], BadInput),
            (said("Tea?", "Yes."), LastTurnNotUser),
            (said("Tea?") + said("Milk?"), TurnsMustAlternate),
            (said(" \n"), EmptyTurn),
            (said("Tea\x00?"), UnusableText),
            (said("Tea\ud83c?"), UnusableText),
            (said("x" * 1_000_000), TextTooLong),
            ([{"role": "system", "content": "Be brief."}], LastTurnNotUser),
        ],
    )
    def test_refuses_what_is_no_prompt_and_says_which_way(self, messages, refusal):
        with pytest.raises(refusal):
            check_prompt(messages)


class TestCheckTurns:
    def test_keeps_turns_that_answer_the_prompt(self):
        turns = said("Green or black?", "Green.", "Two minutes, then.", first="assistant")

        assert check_turns(turns) == turns

    def test_refuses_turns_that_end_with_the_user(self):
        with pytest.raises(LastTurnNotAssistant):
            check_turns(said("Green or black?", "Green.", first="assistant"))

    def test_refuses_turns_that_start_with_the_user(self):
        with pytest.raises(TurnsMustAlternate):
            check_turns(said("And?", "Two minutes."))


def test_text_of_every_language_is_kept_as_it_is():
    for text in ["茶", "👩‍🍳", "مرحبا", "a\tb\nc", "<script>alert(1)</script>"]:
        assert check_text(text) == text


def test_equal_values_have_equal_digests_whatever_the_order_of_keys():
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})
