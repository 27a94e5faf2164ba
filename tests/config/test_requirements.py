"""The pins in requirements/: the same files everywhere, for everybody."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["web", "lab", "scan", "dev", "node"]


def pins(name):
    """Each requirement's name, and its whole text with its hashes."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text().replace("\\\n", "")
    return {line.split("==")[0]: line for line in text.splitlines() if line.strip()}


def asked_for(*groups):
    requirements = [requirement for group in groups for requirement in group]
    return {re.match(r"[\w-]+", requirement)[0].lower() for requirement in requirements}


@pytest.mark.parametrize("name", NAMES)
class TestPins:
    def test_have_hashes(self, name):
        assert all("--hash=sha256:" in pin for pin in pins(name).values())

    def test_name_no_address(self, name):
        assert not any("://" in pin or "index" in pin for pin in pins(name).values())

    def test_leave_the_build_of_torch_to_the_machine(self, name):
        assert not [pin for pin in pins(name) if re.match(r"torch$|triton|nvidia|cuda", pin)]


def test_everything_asked_for_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    web = asked_for(project["project"]["dependencies"])
    lab = web | asked_for(project["project"]["optional-dependencies"]["lab"]) - {"torch"}
    dev = lab | asked_for(project["dependency-groups"]["dev"])

    scan = web | asked_for(project["project"]["optional-dependencies"]["scan"])

    for name, wanted in [("web", web), ("lab", lab), ("scan", scan), ("dev", dev)]:
        assert wanted <= {pin.lower() for pin in pins(name)}
