"""The command, from the shell's side, and the real data sets through it."""

import gzip

import pytest
from django.core.management import CommandError, call_command

from annotation.models import Campaign, Demonstration, Prompt, Ranking

SOUP = b'{"prompt": "Soup?"}\n'


@pytest.fixture
def run(db, tmp_path, capsys):
    def run_command(content, name="prompts.jsonl"):
        path = tmp_path / name
        path.write_bytes(content)
        call_command("import_data", "prompts", str(path), "--campaign", "Kitchen")
        return capsys.readouterr()

    return run_command


class TestImportData:
    def test_tells_what_it_added_and_which_lines_it_left_out(self, run):
        said = run(SOUP + b"not json\n" + SOUP)

        assert "prompts: 1 added, 1 already there" in said.out
        assert "1 lines could not be used" in said.out
        assert said.err.startswith("line 2: This line is not valid JSON")

    def test_makes_the_campaign(self, run):
        run(SOUP)

        assert Campaign.objects.get().name == "Kitchen"

    @pytest.mark.parametrize("name", ["prompts.jsonl", "prompts.jsonl.gz"])
    def test_knows_gzip_by_its_content(self, run, name):
        run(gzip.compress(SOUP), name)
        run(SOUP, name)

        assert Prompt.objects.count() == 1

    def test_reads_past_a_byte_order_mark(self, run):
        run(b"\xef\xbb\xbf" + SOUP)

        assert Prompt.objects.count() == 1

    def test_keeps_what_a_cut_file_has_and_says_that_it_is_cut(self, run):
        lines = b"".join(b'{"prompt": "Soup %d? %s"}\n' % (number, b"." * 1000) for number in range(100))

        with pytest.raises(CommandError, match="damaged"):
            run(gzip.compress(lines, 0)[:-5_000])

        assert Prompt.objects.filter(campaign__name="Kitchen").count() > 80

    @pytest.mark.parametrize("content", [b"", b"not json\n", b"\x00\xff\xfe" * 50])
    def test_refuses_a_file_without_a_usable_line_and_leaves_no_campaign(self, run, content):
        with pytest.raises(CommandError, match="Nothing in"):
            run(content)

        assert not Campaign.objects.exists()

    def test_names_a_file_that_is_not_there(self, db):
        with pytest.raises(CommandError, match="nowhere.jsonl cannot be read"):
            call_command("import_data", "prompts", "nowhere.jsonl", "--campaign", "Kitchen")

        assert not Campaign.objects.exists()

    def test_refuses_a_name_that_no_campaign_can_have(self, db, tmp_path):
        file = tmp_path / "prompts.jsonl"
        file.write_bytes(SOUP)

        with pytest.raises(CommandError, match="cannot be a campaign's name"):
            call_command("import_data", "prompts", str(file), "--campaign", "K" * 121)


class TestAFolder:
    def test_is_read_whole_and_names_the_file_of_each_bad_line(self, db, tmp_path, capsys):
        (tmp_path / "train.jsonl").write_bytes(SOUP + b"not json\n")
        (tmp_path / "held_out.csv").write_bytes(b"prompt\nRice?\n")

        call_command("import_data", "prompts", str(tmp_path), "--campaign", "Kitchen")

        said = capsys.readouterr()
        assert "prompts: 2 added" in said.out
        assert said.err.startswith("train.jsonl, line 2: ")


class TestDefaults:
    def test_are_for_prompts_that_the_file_says_nothing_about(self, db, tmp_path):
        file = tmp_path / "prompts.jsonl"
        file.write_bytes(SOUP + b'{"prompt": "Rice?", "language": "fr"}\n')

        defaults = ["--language", "en", "--kind", "cooking", "--skill", "chef"]
        call_command("import_data", "prompts", str(file), "--campaign", "Kitchen", *defaults)

        rows = Prompt.objects.order_by("pk").values_list("language", "kind", "skill")
        assert list(rows) == [("en", "cooking", "chef"), ("fr", "cooking", "chef")]

    def test_are_cut_to_what_a_column_holds(self, db, tmp_path):
        file = tmp_path / "prompts.jsonl"
        file.write_bytes(SOUP)

        call_command("import_data", "prompts", str(file), "--campaign", "Kitchen", "--kind", "k" * 99)

        assert Prompt.objects.get().kind == "k" * 40


class TestRealFiles:
    """The figures were counted in the files by another program."""

    def test_open_assistant_trees_import_whole(self, db, development_data, capsys):
        file = development_data / "oasst_trees_dev.jsonl"

        call_command("import_data", "oasst", str(file), "--campaign", "Open-Assistant")

        sizes = [len(ranking.shown_order) for ranking in Ranking.objects.all()]
        assert {size: sizes.count(size) for size in sizes} == {2: 42, 3: 82, 4: 15, 5: 2, 6: 3, 8: 1, 9: 1}
        assert (Prompt.objects.count(), Demonstration.objects.count()) == (147, 70)
        assert "0 lines could not be used" in capsys.readouterr().out

    def test_hh_rlhf_imports_but_for_its_broken_rows(self, db, development_data, capsys):
        file = development_data / "hh_harmless_dev.jsonl.gz"

        call_command("import_data", "hh-rlhf", str(file), "--campaign", "HH")

        assert (Prompt.objects.count(), Ranking.objects.count()) == (1590, 1592)
        said = capsys.readouterr()
        broken = [87, 517, 668, 764, 926, 1104, 1255, 1320]
        assert [int(line.split()[1].rstrip(":")) for line in said.err.splitlines()] == broken
