"""What the docs say is there, is there."""

import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands

from trainer.handoff.configs import CONFIGS, explain
from trainer.handoff.metrics import METRICS

ROOT = Path(__file__).resolve().parent.parent

# Written so that this file does not hold what it forbids.
REGISTRIES = r"py[p]i\.org|python[h]osted\.org|npm[j]s\.|npm[m]irror\."
FOLDERS_OF_A_MACHINE = r"(?<![\w.@-])/(?:work|root|tmp|home|Users|opt)/"


def committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


DOCS = [path for path in committed() if path.suffix == ".md"]


@pytest.mark.parametrize("doc", DOCS, ids=name)
class TestEachDoc:
    def test_links_to_what_exists(self, doc):
        links = re.findall(r"\]\(([^)\s#]+)[^)]*\)", doc.read_text())
        relative = [link for link in links if not re.match(r"\w+:", link)]

        assert [link for link in relative if not (doc.parent / link).exists()] == []

    def test_names_commands_that_exist(self, doc):
        text = doc.read_text()
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        # In running text a command stands in backticks, in a block at the start of its line.
        named = re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)
        managed = re.findall(r"manage\.py ([a-z_]+)", text)

        assert set(named) - set(targets) == set()
        assert set(managed) - set(get_commands()) == set()


class TestMetrics:
    def test_are_all_explained_and_no_others(self):
        explained = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE)

        assert sorted(explained) == sorted(METRICS)


class TestTraining:
    TEXT = (ROOT / "docs" / "training.md").read_text()

    def test_tells_every_setting_with_its_default_in_every_stage(self):
        section = self.TEXT.split("## Every setting")[1]
        head, *rows = [
            [cell.strip() for cell in line.strip("| \n").split(" | ")]
            for line in re.sub(r"\|(?= *\|)", "| ", section).splitlines()
            if line.startswith("|") and "---" not in line
        ]
        kinds = head[1:-1]
        told = {(row[0].strip("`"), kind): row[1 + n] for row in rows for n, kind in enumerate(kinds)}

        defaults = {
            (name, kind): shown(default) for kind in CONFIGS for name, (default, _) in explain(kind).items()
        }
        assert kinds == list(CONFIGS)
        assert {place: default for place, default in told.items() if default} == defaults

    def test_calls_nothing_a_setting_that_is_none(self):
        known = {name for kind in CONFIGS for name in explain(kind)}
        given = re.findall(r"(?:`|--set |\w )([a-z_]+)=", self.TEXT)
        quoted = re.findall(r"`([a-z]+(?:_[a-z]+)+)`", self.TEXT)
        first = re.findall(r"^[0-9]\. `(\w+)", self.TEXT, re.MULTILINE)

        assert given and quoted and first
        assert set(given) | set(first) <= known
        assert set(quoted) <= known | set(METRICS) | VALUES


VALUES = {"bradley_terry", "plackett_luce", "rao_kupper", "held_out"}
"""What some settings can be."""


def shown(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if default == "":
        return "empty"
    if "\n" in str(default):
        return "(text)"
    return f"{default:g}" if isinstance(default, float) else str(default)


class TestSynthetic:
    def test_tells_every_text_that_can_be_edited(self):
        told = (ROOT / "docs" / "synthetic.md").read_text()
        texts = {
            name: default
            for kind in ("generate", "expand", "judge")
            for name, (default, _note) in explain(kind).items()
            if "\n" in str(default)
        }

        assert len(texts) == 6
        missing = [name for name, text in texts.items() if f"`{name}`\n\n```\n{text}\n```" not in told]
        assert missing == []


class TestProofs:
    """In docs/proofs.md and the lab's README."""

    LAB = ROOT / "trainer" / "rlhf"
    README = (LAB / "README.md").read_text()
    PROOFS = (ROOT / "docs" / "proofs.md").read_text()

    def test_are_tests_that_exist(self):
        named = re.findall(r"`((?:[\w/]+/)?test_\w+)::(test_\w+)`", self.README + self.PROOFS)

        assert len(named) > 50
        assert [f"{file}::{test}" for file, test in named if not self.holds(file, test)] == []

    def holds(self, file: str, test: str) -> bool:
        path = ROOT / f"{file if '/' in file else 'tests/trainer/rlhf/' + file}.py"
        return path.exists() and f"def {test}(" in path.read_text()

    def test_are_given_for_each_defect_and_each_property(self):
        rows = re.findall(r"^\| ([DT]\d+) \|.*`test|^\| ([DT]\d+) \|.*`tests/", self.PROOFS, re.MULTILINE)

        assert [one or other for one, other in rows] == [
            *(f"D{number}" for number in range(1, 20)),
            *(f"T{number}" for number in range(1, 25)),
        ]

    def test_are_of_formulas_that_stand_where_the_readme_says(self):
        named = re.findall(r"`(\w+\.py):(\w+)`", self.README)

        assert len(named) > 10
        assert [
            f"{file}:{formula}"
            for file, formula in named
            if f"def {formula}(" not in (self.LAB / file).read_text()
        ] == []

    def test_the_readme_names_every_file_of_the_lab(self):
        named = set(re.findall(r"`(\w+\.py)`", self.README))

        assert named == {path.name for path in self.LAB.rglob("*.py")} - {"__init__.py"}


class TestArchitecture:
    def test_shows_folders_and_files_that_exist(self):
        text = (ROOT / "docs" / "architecture.md").read_text()
        tree = text.split("## Where things are")[1].split("```")[1]

        assert [path for path in paths_in(tree) if not (ROOT / path).exists()] == []

    def test_the_tree_is_read_folder_by_folder(self):
        tree = "room/   models · desk/ (Django)\n        clock.py (time)\nfloor/  under all"

        assert paths_in(tree) == ["room/", "room/desk/", "room/clock.py", "floor/"]


def paths_in(tree: str) -> list[str]:
    """The folders (with a slash) and files that a tree names; indented lines go on in the folder above."""
    folder, paths = "", []
    for line in tree.splitlines():
        if found := re.match(r"(\w+/)", line):
            folder = found[1]
            paths.append(folder)
            line = line.removeprefix(folder)
        paths += [folder + path for path in re.findall(r"(?<![\w./])(?:\w+/(?!\w)|\w+\.(?:py|json))", line)]
    return paths


class TestCommittedTexts:
    def test_name_no_registry_and_no_folder_of_a_machine(self):
        forbidden = re.compile(f"{REGISTRIES}|{FOLDERS_OF_A_MACHINE}")

        assert [f"{name(path)}: {found}" for path in committed() for found in mentions(path, forbidden)] == []


def mentions(path: Path, forbidden: re.Pattern[str]) -> list[str]:
    content = path.read_bytes()
    return [] if b"\0" in content else forbidden.findall(content.decode(errors="replace"))


class TestComingFrom:
    PAGE = ROOT / "docs" / "coming-from.md"

    def test_has_every_row_of_both_systems(self):
        rows = re.findall(r"^\| ([CL]\d+) \| \S.* \| \S.* \|$", self.PAGE.read_text(), re.MULTILINE)

        assert rows == [f"C{n}" for n in range(1, 30)] + [f"L{n}" for n in range(1, 18)]

    def test_links_to_what_is_there(self):
        links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", self.PAGE.read_text())

        assert [link for link in links if not (self.PAGE.parent / link).exists()] == []

    def test_names_formats_that_are_read(self):
        from annotation.formats import READERS

        named = set(re.findall(r"`((?:trl|coati|chatllama|openai)-[a-z-]+)`", self.PAGE.read_text()))

        assert named
        assert named <= READERS.keys()
