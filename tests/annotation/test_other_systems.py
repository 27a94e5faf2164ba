"""Files of chatllama and Coati, as these systems write them."""

import io
import json

import pytest

from annotation.formats import READERS
from annotation.formats.containers import json_rows
from annotation.formats.items import Problem


def read(name, rows):
    """From one JSON list, as both systems keep their data."""
    return list(READERS[name](json_rows(io.StringIO(json.dumps(rows, indent=1)))))


class TestChatllama:
    def test_actors_data_are_demonstrations(self):
        (item,) = read("chatllama-actor", [{"user_input": "Soup?", "completion": "Boil it."}])

        assert item.messages == [{"role": "user", "content": "Soup?"}]
        assert item.demonstrations[0].turns == [{"role": "assistant", "content": "Boil it."}]

    def test_scores_of_one_prompt_are_an_order_with_ties(self):
        rows = [("Soup?", "a", 1.0), ("Soup?", "b", 4.5), ("Soup?", "c", 1), ("Rice?", "d", 3)]

        soup, rice = read(
            "chatllama-reward",
            [{"user_input": asked, "completion": said, "score": score} for asked, said, score in rows],
        )

        assert soup.completions == ["a", "b", "c"]
        assert soup.rankings[0].tiers == [[1], [0, 2]]
        assert (rice.completions, rice.rankings) == ([], [])

    def test_an_answer_without_a_score_is_not_ranked_in_the_middle(self):
        rows = [
            {"user_input": "Soup?", "completion": said, "score": score}
            for said, score in [("a", None), ("b", 0)]
        ]

        (item,) = read("chatllama-reward", rows)

        assert item.rankings == []

    def test_prompts_are_prompts(self):
        (item,) = read("chatllama-prompts", [{"user_input": "Soup?"}])

        assert item.messages[0]["content"] == "Soup?"
        assert item.demonstrations == []


class TestCoati:
    def test_instructions_join_their_input(self):
        (item,) = read("coati-instructions", [{"instruction": "Add", "input": "1 2", "output": "3", "id": 7}])

        assert item.messages == [{"role": "user", "content": "Add\n\n1 2"}]
        assert (item.demonstrations[0].turns[0]["content"], item.source) == ("3", "7")

    @pytest.mark.parametrize(("who", "said"), [("from", "content"), ("from", "value")])
    def test_conversations_go_on_after_the_users_first_message(self, who, said):
        turns = [("human", "Hi"), ("gpt", "Hello"), ("human", "Soup?"), ("gpt", "Boil it.")]
        rows = [{"messages": [{who: role, said: text} for role, text in turns]}]

        (item,) = read("coati-conversations", rows)

        assert [message["content"] for message in item.messages] == ["Hi"]
        assert [turn["role"] for turn in item.demonstrations[0].turns] == ["assistant", "user", "assistant"]

    def test_preferences_are_two_candidates_ranked(self):
        row = {
            "context": [{"from": "user", "content": "Soup?"}],
            "chosen": [{"from": "assistant", "content": "Boil it."}],
            "rejected": [{"from": "assistant", "content": "No."}],
        }

        (item,) = read("coati-preferences", [row])

        assert (item.completions, item.rankings[0].tiers) == (["Boil it.", "No."], [[0], [1]])


class TestAList:
    def test_that_is_broken_is_one_problem(self):
        (row,) = json_rows(io.StringIO('[{"user_input": "Soup?"},'))

        assert isinstance(row.content, Problem)

    def test_tells_items_that_are_no_rows(self):
        first, second = json_rows(io.StringIO('[{"user_input": "Soup?"}, 7]'))

        assert first.content == {"user_input": "Soup?"}
        assert second.content.line == 2
