"""What each format makes of the same rankings: a best answer, two tied ones, an unacceptable one."""

import json
import re
from itertools import combinations
from pathlib import Path

import pytest

from annotation.models import Ranking
from tests.conftest import NOON
from tests.trainer.exports.conftest import lines
from trainer.actions.snapshots import freeze_snapshot
from trainer.exports import FORMATS, export_snapshot


@pytest.fixture
def written(full, tmp_path):
    def write(name, kind=None):
        export_snapshot(full[kind or FORMATS[name].kinds[0]], name, tmp_path / name)
        return lines(tmp_path / name)

    return write


def of_soup(rows):
    return [row for row in rows if "soup" in json.dumps(row)]


def text(conversation):
    return [message["content"] for message in conversation]


class TestTrl:
    def test_messages_are_whole_demonstrations(self, written, demonstrations):
        rows = written("trl-messages")

        assert len(rows) == len(demonstrations)
        assert [turn["role"] for turn in rows[0]["messages"]] == ["user", "assistant", "user", "assistant"]

    def test_implicit_preferences_are_the_explicit_ones_with_the_prompt_in_both(self, written):
        explicit, implicit = written("trl-preference"), written("trl-implicit-preference")

        assert implicit == [
            {name: row["prompt"] + row[name] for name in ("chosen", "rejected")} for row in explicit
        ]

    def test_unpaired_calls_the_best_good_and_the_unacceptable_bad(self, written):
        rows = of_soup(written("trl-unpaired"))

        assert [(text(row["completion"]), row["label"]) for row in rows] == [
            (["Boil it."], True),
            (["Eat it raw."], False),
        ]

    @pytest.mark.parametrize(
        ("tiers", "unacceptable", "labels"),
        [
            ([[0], [1, 2], [3]], [], {0: True, 3: False}),
            ([[0, 1, 2, 3]], [], {}),
            ([], [0, 1, 2, 3], {0: False, 1: False, 2: False, 3: False}),
            ([[0, 1]], [2, 3], {0: True, 1: True, 2: False, 3: False}),
        ],
    )
    def test_unpaired_says_nothing_where_a_ranking_says_nothing(
        self, kitchen, rankings, tmp_path, tiers, unacceptable, labels
    ):
        one = rankings[0]
        ids = sorted(one.shown_order)
        Ranking.objects.exclude(pk=one.pk).update(tiers=[], cannot_judge="Greek.", unacceptable=[])
        Ranking.objects.filter(pk=one.pk).update(
            tiers=[[ids[place] for place in tier] for tier in tiers],
            unacceptable=[ids[place] for place in unacceptable],
        )
        snapshot = freeze_snapshot(campaign=kitchen, kind="rankings", created_by=None, now=NOON)

        export_snapshot(snapshot, "trl-unpaired", tmp_path / "out")

        texts = ["Boil it.", "Fry it.", "Bake it.", "Eat it raw."]
        got = {texts.index(text(row["completion"])[0]): row["label"] for row in lines(tmp_path / "out")}
        assert got == labels

    def test_prompt_only_is_every_prompt(self, written, prompts):
        assert [row["prompt"] for row in sorted(written("trl-prompt-only"), key=str)] == sorted(
            (prompt.messages for prompt in prompts), key=str
        )


class TestHhRlhf:
    def test_is_two_dialogues_that_differ_in_the_last_answer(self, written):
        first = of_soup(written("hh-rlhf"))[0]

        assert first == {
            "chosen": "\n\nHuman: How do I make soup?\n\nAssistant: Boil it.",
            "rejected": "\n\nHuman: How do I make soup?\n\nAssistant: Fry it.",
        }


class TestOpenAI:
    def test_preferences_have_one_message_of_the_assistant_on_each_side(self, written):
        for row in written("openai-dpo"):
            assert list(row) == ["input", "preferred_output", "non_preferred_output"]
            assert list(row["input"]) == ["messages", "tools", "parallel_tool_calls"]
            assert [turn["role"] for turn in row["preferred_output"] + row["non_preferred_output"]] == [
                "assistant",
                "assistant",
            ]

    def test_supervised_rows_are_trls(self, written):
        assert written("openai-sft") == written("trl-messages")


class TestArena:
    def test_every_two_answers_meet_as_they_were_shown(self, written, told):
        texts = dict(told[0].assignment.candidate_set.completions.values_list("pk", "text"))
        shown = [texts[pk] for pk in told[0].shown_order]

        battles = of_soup(written("arena"))

        met = [
            (text(row["conversation_a"])[-1], text(row["conversation_b"])[-1], row["turn"]) for row in battles
        ]
        assert met == [(a, b, 1) for a, b in combinations(shown, 2)]
        assert battles[0]["tstamp"] == NOON.timestamp()

    def test_names_the_winner_the_ties_and_the_judge(self, written):
        by_texts = {
            frozenset((text(row["conversation_a"])[-1], text(row["conversation_b"])[-1])): row
            for row in of_soup(written("arena"))
        }
        tie = by_texts[frozenset(("Fry it.", "Bake it."))]
        decided = by_texts[frozenset(("Boil it.", "Eat it raw."))]
        winner = decided["conversation_" + decided["winner"][-1]]

        assert tie["winner"] == "tie"
        assert text(winner)[-1] == "Boil it."
        assert len({row["judge"] for row in by_texts.values()}) == 1

    def test_two_unacceptable_ones_are_both_bad(self, kitchen, rankings, tmp_path):
        for ranking in rankings:
            Ranking.objects.filter(pk=ranking.pk).update(tiers=[], unacceptable=ranking.shown_order)
        snapshot = freeze_snapshot(campaign=kitchen, kind="rankings", created_by=None, now=NOON)

        export_snapshot(snapshot, "arena", tmp_path / "out")

        assert {row["winner"] for row in lines(tmp_path / "out")} == {"tie (bothbad)"}


class TestHelpSteer:
    def test_keeps_what_each_person_said(self, written):
        best_and_next = of_soup(written("helpsteer"))[0]

        [person] = best_and_next["individual_preference"]
        assert (best_and_next["response1"], best_and_next["response2"]) == ("Boil it.", "Fry it.")
        # Below zero the first is better; as much as the labeler said.
        assert (person["score"], best_and_next["overall_preference"]) == (-3, -3)
        assert person["feedback1"] == "helpfulness 5"
        assert person["feedback2"] == "correctness 4; helpfulness 2"
        assert person["reasoning"].startswith("=1+1")

    def test_scores_nothing_between_equals(self, written):
        rows = {(row["response1"], row["response2"]): row for row in of_soup(written("helpsteer"))}

        assert rows["Fry it.", "Bake it."]["overall_preference"] == 0
        assert rows["Boil it.", "Eat it raw."]["overall_preference"] == -2


class TestListwise:
    def test_keeps_everything_but_the_people(self, written, told, ada):
        [row] = of_soup(written("listwise"))

        [ranking] = row["rankings"]
        stored = told[0]
        assert (ranking["groups"], ranking["unacceptable"]) == (stored.tiers, stored.unacceptable)
        assert ranking["display_order"] == stored.shown_order
        assert ranking["edited"]["text"] == "Boil it well."
        assert {flag["flag"] for flag in ranking["flags"]} == {"untrue", "rude"}
        assert [(span["start"], span["end"], span["flag"]) for span in ranking["spans"]] == [(0, 3, "untrue")]
        # As a word: digests may well hold her three letters.
        assert "ada" not in re.split(r"\W+", json.dumps(row))

    def test_has_the_consensus_where_there_is_one(self, written):
        with_one = [row for row in written("listwise") if row["consensus"]]

        [row] = with_one
        assert row["consensus"]["groups"] == row["rankings"][0]["groups"]
        assert {score["value"] for score in row["consensus"]["scores"]} == {1.5}

    def test_counts_each_pair(self, written):
        [row] = of_soup(written("listwise"))

        counts = [(pair["n_win"], pair["n_lose"], pair["n_tie"], pair["margin"]) for pair in row["pairs"]]
        assert counts == [(1, 0, 0, 1), (1, 0, 0, 1), (1, 0, 0, 1), (0, 0, 1, 0), (1, 0, 0, 1), (1, 0, 0, 1)]


class TestOasst:
    def test_answers_are_replies_with_their_ranks_and_labels(self, written):
        [tree] = of_soup(written("oasst", "rankings"))

        root = tree["prompt"]
        assert (root["role"], root["text"], root["message_id"]) == (
            "prompter",
            "How do I make soup?",
            tree["message_tree_id"],
        )
        assert [(reply["text"], reply["rank"]) for reply in root["replies"]] == [
            ("Boil it.", 0),
            ("Fry it.", 1),
            ("Bake it.", 1),
            ("Eat it raw.", 2),
        ]
        assert all(reply["parent_id"] == root["message_id"] for reply in root["replies"])
        assert root["replies"][0]["labels"] == {"helpfulness": {"value": pytest.approx(2 / 3), "count": 1}}

    def test_a_demonstration_is_a_chain(self, written):
        node = written("oasst", "demonstrations")[0]["prompt"]

        roles = []
        while node:
            roles.append(node["role"])
            node = node["replies"][0] if node["replies"] else None
        assert roles == ["prompter", "assistant", "prompter", "assistant"]


def table():
    """The rows of docs/formats.md's table of writers."""
    page = (Path(__file__).parents[3] / "docs" / "formats.md").read_text()
    section = page.split("## Writers")[1].split("\n## ")[0]
    cells = [
        [cell.strip() for cell in line.strip("| \n").split(" | ")]
        for line in section.splitlines()
        if line.startswith("| `")
    ]
    return {row[0].strip("`"): [part.replace("`", "").split(", ") for part in row[1:4]] for row in cells}


class TestTheDocs:
    def test_tell_every_format_with_its_kinds_columns_and_containers(self):
        told = {
            name: [list(format.kinds), format.columns or ["the snapshot's"], list(format.containers)]
            for name, format in FORMATS.items()
        }

        assert table() == told
