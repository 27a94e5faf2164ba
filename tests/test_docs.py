"""What the docs say is there, is there."""

import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands

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
