"""What readers make of the field's rows, and of the files that hold them."""

import csv
import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotation.formats import READERS
from annotation.formats.containers import Source, folder_rows, json_rows
from annotation.formats.items import Problem

SOUP = [{"role": "user", "content": "Soup?"}]


def said(text):
    return [{"role": "assistant", "content": text}]


def read(format_name, *rows):
    text = "".join(json.dumps(row) + "\n" for row in rows)
    return list(READERS[format_name](json_rows(io.StringIO(text))))


def codes(items):
    return [(item.line, item.code) for item in items if isinstance(item, Problem)]


def order(item):
    """The first ranking, by its texts."""
    [ranking] = item.rankings
    return [[item.completions[position] for position in tier] for tier in ranking.tiers]


class TestTRLMessages:
    @pytest.mark.parametrize("name", ["trl-messages", "openai-sft"])
    def test_part_after_the_first_question(self, name):
        system = {"role": "system", "content": "Be brief."}
        more = [*said("Boil it."), {"role": "user", "content": "How long?"}, *said("An hour.")]

        [item] = read(name, {"messages": [system, *SOUP, *more]})

        assert item.messages == [system, *SOUP]
        assert [one.turns for one in item.demonstrations] == [more]

    def test_that_nobody_has_answered_are_a_prompt(self):
        messages = [*SOUP, *said("Boil it."), {"role": "user", "content": "How long?"}]

        [item] = read("trl-messages", {"messages": messages})

        assert (item.messages, item.demonstrations) == (messages, [])

    def test_of_nobody_are_refused(self):
        assert codes(read("trl-messages", {"messages": said("Hello!")}, {"text": "Soup is"})) == [
            (1, "malformed_row"),
            (2, "malformed_row"),
        ]


class TestTRLPromptCompletion:
    @pytest.mark.parametrize("row", [("Soup?", "Boil it."), (SOUP, said("Boil it."))])
    def test_is_a_demonstration_in_either_form(self, row):
        [item] = read("trl-prompt-completion", {"prompt": row[0], "completion": row[1]})

        assert (item.messages, item.demonstrations[0].turns) == (SOUP, said("Boil it."))


class TestTRLPreference:
    @pytest.mark.parametrize(
        "row",
        [
            {"prompt": "Soup?", "chosen": "Boil.", "rejected": "Fry."},
            {"prompt": SOUP, "chosen": said("Boil."), "rejected": said("Fry.")},
            {"chosen": [*SOUP, *said("Boil.")], "rejected": [*SOUP, *said("Fry.")], "chosen_score": 0.9},
        ],
    )
    def test_is_a_ranking_of_two_in_each_form(self, row):
        [item] = read("trl-preference", row)

        assert item.messages == SOUP
        assert order(item) == [["Boil."], ["Fry."]]

    @pytest.mark.parametrize(
        "row",
        [
            {"chosen": "Soup? Boil.", "rejected": "Soup? Fry."},
            {"prompt": "Soup?", "chosen": "Boil."},
            {"prompt": "Soup?", "chosen": "Boil.", "rejected": [*said("Fry."), *SOUP]},
            {"prompt": 7, "chosen": "Boil.", "rejected": "Fry."},
            {"prompt": ["Soup?"], "chosen": "Boil.", "rejected": "Fry."},
        ],
    )
    def test_is_refused_in_any_other(self, row):
        assert codes(read("trl-preference", row)) == [(1, "malformed_row")]


class TestTRLUnpaired:
    def row(self, prompt, completion, label):
        return {"prompt": prompt, "completion": completion, "label": label}

    def test_rows_of_one_prompt_are_one_judgement(self):
        rows = [self.row("Soup?", "Boil.", True), self.row("Soup?", "Burn.", False)]

        soup, rice = read("trl-unpaired", *rows, self.row("Rice?", "Steam.", True))

        assert order(soup) == [["Boil."]]
        assert [soup.completions[position] for position in soup.rankings[0].unacceptable] == ["Burn."]
        assert (rice.completions, rice.rankings) == ([], [])

    def test_the_last_row_of_a_judgement_is_its_line(self):
        rows = [self.row("Soup?", "Boil.", True), self.row("Soup?", "Burn.", False)]

        assert [item.line for item in read("trl-unpaired", *rows)] == [2]

    def test_more_than_nine_are_several_judgements(self):
        rows = [self.row("Soup?", f"Boil {number}.", True) for number in range(12)]

        assert [len(item.completions) for item in read("trl-unpaired", *rows)] == [9, 3]

    def test_an_answer_that_comes_again_is_the_next_persons(self):
        rows = [self.row("Soup?", "Boil.", label) for label in (True, False)]
        rows = [rows[0], self.row("Soup?", "Fry.", False), rows[1], self.row("Soup?", "Fry.", True)]

        assert [order(item) for item in read("trl-unpaired", *rows)] == [[["Boil."]], [["Fry."]]]

    def test_a_label_that_is_no_label_is_refused_alone(self):
        rows = [self.row("Soup?", "Boil.", True), self.row("Soup?", "Fry.", "yes")]

        assert codes(read("trl-unpaired", *rows)) == [(2, "malformed_row")]


class TestOpenAIPreferences:
    def test_are_rankings_of_two(self):
        row = {
            "input": {"messages": SOUP, "tools": [], "parallel_tool_calls": True},
            "preferred_output": said("Boil."),
            "non_preferred_output": said("Fry."),
        }

        [item] = read("openai-dpo", row)

        assert (item.messages, order(item)) == (SOUP, [["Boil."], ["Fry."]])

    def test_without_an_input_are_refused(self):
        assert codes(read("openai-dpo", {"preferred_output": said("Boil.")})) == [(1, "malformed_row")]


class TestArena:
    def battle(self, winner, **more):
        conversations = {"conversation_a": [*SOUP, *said("Boil.")], "conversation_b": [*SOUP, *said("Fry.")]}
        return {"model_a": "gpt-secret", "model_b": "llama-secret", "winner": winner, **conversations, **more}

    @pytest.mark.parametrize(
        ("winner", "tiers", "unacceptable"),
        [
            ("model_a", [[0], [1]], []),
            ("model_b", [[1], [0]], []),
            ("tie", [[0, 1]], []),
            ("tie (bothbad)", [], [0, 1]),
        ],
    )
    def test_knows_four_ends(self, winner, tiers, unacceptable):
        [item] = read("arena", self.battle(winner, judge="user_7"))

        [ranking] = item.rankings
        assert (ranking.tiers, ranking.unacceptable, ranking.rater) == (tiers, unacceptable, "user_7")

    def test_forgets_the_models(self):
        [item] = read("arena", self.battle("model_a", question_id="q1"))

        assert "secret" not in repr(item)

    def test_knows_a_language_by_its_name(self):
        [item] = read("arena", self.battle("tie", language="Chinese"))

        assert item.language == "zh"

    def test_refuses_any_other_end(self):
        assert codes(read("arena", self.battle("me"))) == [(1, "malformed_row")]


class TestHelpSteer:
    ANSWERS = {"response1": "Boil.", "response2": "Fry."}
    ROW = {"domain": "stem", "language": "english", "context": SOUP, **ANSWERS}

    def test_keeps_each_person_with_direction_and_strength(self):
        people = [{"score": -3, "reasoning": "It burns."}, {"score": 0}, {"score": 1}]

        [item] = read("helpsteer", {**self.ROW, "individual_preference": people, "overall_preference": -1})

        assert [(ranking.tiers, ranking.strength) for ranking in item.rankings] == [
            ([[0], [1]], 3),
            ([[0, 1]], None),
            ([[1], [0]], 1),
        ]
        assert item.rankings[0].rationale == "It burns."
        assert (item.kind, item.language) == ("stem", "en")

    def test_takes_the_overall_preference_where_nobody_is_named(self):
        [item] = read("helpsteer", {**self.ROW, "overall_preference": 2})

        assert (item.rankings[0].tiers, item.rankings[0].strength) == ([[1], [0]], 2)

    @pytest.mark.parametrize("score", [4, -4, 0.5, None, True, "much"])
    def test_refuses_what_is_no_preference(self, score):
        row = {**self.ROW, "individual_preference": [{"score": score}]}

        assert codes(read("helpsteer", row)) == [(1, "malformed_row")]


class TestListwise:
    ROW = {
        "prompt": SOUP,
        "responses": [{"id": 11, "text": "Boil."}, {"id": 12, "text": "Fry."}, {"id": 13, "text": "Burn."}],
    }
    RANKING = {
        "rater": "r1",
        "groups": [[12], [11]],
        "unacceptable": [13],
        "strength": 2,
        "seconds": 41.5,
        "display_order": [13, 11, 12],
        "ratings": [{"id": 12, "axis": "helpfulness", "rating": 5}],
        "flags": [{"id": 13, "flag": "dangerous"}],
        "spans": [{"id": 13, "start": 0, "end": 4, "flag": "dangerous"}],
        "rationale": "It burns.",
        "edited": {"id": 12, "text": "Fry it slowly."},
    }

    def test_keeps_all_that_a_person_said(self):
        [item] = read("listwise", {**self.ROW, "rankings": [self.RANKING]})

        [ranking] = item.rankings
        assert (ranking.rater, ranking.tiers, ranking.unacceptable) == ("r1", [[1], [0]], [2])
        assert (ranking.strength, ranking.seconds_spent, ranking.shown_order) == (2, 41.5, [2, 0, 1])
        assert (ranking.ratings, ranking.flags) == ({1: {"helpfulness": 5}}, {2: ["dangerous"]})
        assert ranking.spans == {2: [{"start": 0, "end": 4, "flag": "dangerous"}]}
        assert (ranking.rationale, ranking.edited) == ("It burns.", (1, "Fry it slowly."))

    def test_refuses_ids_of_nothing(self):
        ranking = {**self.RANKING, "groups": [[12], [14]]}

        assert codes(read("listwise", {**self.ROW, "rankings": [ranking]})) == [(1, "unknown_completion")]

    @pytest.mark.parametrize("rankings", ["best", ["best"], [{"groups": [11]}], [{"groups": "11"}]])
    def test_refuses_what_is_no_ranking(self, rankings):
        assert codes(read("listwise", {**self.ROW, "rankings": rankings})) == [(1, "malformed_row")]


class TestEveryReader:
    @pytest.mark.parametrize("name", READERS)
    @pytest.mark.parametrize("row", [{}, {"prompt": 7}, {"messages": "Soup?", "chosen": []}, {"text": None}])
    def test_answers_any_row_with_an_item_or_a_problem(self, name, row):
        read(name, row)

    @pytest.mark.parametrize("name", READERS)
    def test_says_what_is_wrong_with_an_empty_row(self, name):
        assert codes(read(name, {})) == [(1, "malformed_row")]


def rows_of(content, name):
    return list(Source(io.BytesIO(content), name).rows())


def contents(rows):
    return [row.content for row in rows]


class TestContainers:
    ROWS = [
        {"prompt": "Soup?", "kind": "question"},
        {"prompt": [{"role": "user", "content": "Rice, or\n“noodles”?"}]},
        {"prompt": "=1+1", "completions": ["=2", "Two."]},
    ]

    def jsonl(self):
        return "".join(json.dumps(row) + "\n" for row in self.ROWS).encode()

    def cell(self, value):
        text = value if isinstance(value, str) else json.dumps(value)
        return f"'{text}" if text.startswith("=") else text

    def csv(self):
        file = io.StringIO(newline="")
        table = csv.DictWriter(file, ["prompt", "kind", "completions"])
        table.writeheader()
        for row in self.ROWS:
            table.writerow({name: self.cell(value) for name, value in row.items()})
        return file.getvalue().encode()

    def test_gzip_is_known_by_its_content(self):
        assert contents(rows_of(gzip.compress(self.jsonl()), "rows")) == self.ROWS

    def test_csv_gives_the_same_rows(self):
        assert contents(rows_of(self.csv(), "rows.csv")) == self.ROWS
        assert contents(rows_of(gzip.compress(self.csv()), "rows.csv.gz")) == self.ROWS

    def test_parquet_gives_the_same_rows(self):
        rows = [{"prompt": SOUP, "label": True}, {"prompt": SOUP, "label": False}]
        file = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), file)

        source = Source(io.BytesIO(file.getvalue()), "rows.parquet")

        assert contents(source.rows()) == rows
        assert source.bytes_read == len(file.getvalue())

    def test_text_gives_a_prompt_a_line(self):
        rows = rows_of(b"Soup?\r\n\n  Rice? \n", "prompts.txt")

        assert [(row.line, row.content) for row in rows] == [
            (1, {"prompt": "Soup?"}),
            (3, {"prompt": "Rice?"}),
        ]

    def test_a_text_that_looks_like_a_list_stays_a_text(self):
        [row] = rows_of(b'prompt,kind\n"[1, 2]: what comes next?",\n', "rows.csv")
        [other] = rows_of(b'prompt,kind\n"[1, 2]",\n', "rows.csv")

        assert (row.content, other.content) == (
            {"prompt": "[1, 2]: what comes next?"},
            {"prompt": "[1, 2]"},
        )

    def test_csv_rows_know_the_line_they_begin_on(self):
        rows = rows_of(b'prompt\n"Soup,\nor rice?"\nTea?\nA,B\n', "rows.csv")

        assert [row.line for row in rows] == [2, 4, 5]
        assert rows[2].content.code == "malformed_csv"

    @pytest.mark.parametrize("content", [b"PAR1 and then nothing", b"\x1f\x8b and then nothing"])
    def test_a_broken_file_is_one_problem(self, content):
        [row] = rows_of(content, "rows")

        assert row.content.code == "unreadable_file"

    def test_a_folder_is_read_file_by_file(self, tmp_path):
        (tmp_path / "train.jsonl").write_bytes(self.jsonl() + b"not json\n")
        (tmp_path / "held_out.csv").write_bytes(self.csv())
        (tmp_path / "manifest.json").write_text("{}")
        (tmp_path / "README.md").write_text("# Soup")

        rows = list(folder_rows(tmp_path))

        assert contents(rows)[:-1] == self.ROWS * 2
        assert (rows[-1].file, rows[-1].content.file, rows[-1].content.line) == ("train.jsonl",) * 2 + (4,)
