"""The arrows of docs/architecture.md: who may know whom, and what can start without whom."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]

WITHOUT = """
import importlib, sys
for name in {absent}:
    sys.modules[name] = None  # importing it raises ModuleNotFoundError
for name in {wanted}:
    importlib.import_module(name)
{then}
"""


def run_without(absent, wanted, then=""):
    """A fresh Python in which ``absent`` modules are not installed imports ``wanted`` ones."""
    code = WITHOUT.format(absent=absent, wanted=wanted, then=then)
    return subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)


def modules_below(folder):
    files = sorted((REPOSITORY / folder).rglob("*.py"))
    paths = [file.relative_to(REPOSITORY).with_suffix("") for file in files]
    return [".".join(path.parts) for path in paths if path.name not in ("__init__", "__main__")]


def test_nobody_imports_across_a_wall():
    # As a process of its own: it would switch off every logger of this one.
    command = [Path(sys.executable).with_name("lint-imports"), "--config", "pyproject.toml", "--no-cache"]
    linter = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)

    assert linter.returncode == 0, linter.stdout + linter.stderr


def test_the_web_starts_without_torch():
    lab = ["torch", "transformers", "tokenizers", "safetensors", "accelerate", "peft", "gguf", "trainer.rlhf"]
    urls = "from django.urls import get_resolver; assert get_resolver().url_patterns"

    started = run_without(lab, ["config.wsgi", "config.celery", "config.urls", "trainer.tasks"], urls)

    assert started.returncode == 0, started.stderr


def test_the_lab_starts_without_the_web():
    web = ["django", "rest_framework", "celery", "redis", "annotation", "config"]
    rooms = modules_below("trainer/rlhf") + modules_below("trainer/handoff")

    started = run_without(web, [*rooms, "trainer.rlhf.__main__"])

    assert started.returncode == 0, started.stderr
    assert "trainer.rlhf.ppo" in rooms


def test_what_is_absent_is_really_absent():
    """The two tests above can fail."""
    assert "ModuleNotFoundError" in run_without(["django"], ["config.urls"]).stderr
