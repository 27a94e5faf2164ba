"""What the measurements in the browser stand on."""

import random

import pytest

from benchmarks.browser.answers import LENGTH, answer
from benchmarks.browser.pathological import TEXTS
from benchmarks.browser.sizes import first_load
from tests.browser.conftest import FRONTEND


class TestAnswers:
    def test_are_long_and_have_everything_that_costs_time(self):
        text = answer(random.Random(0))

        assert LENGTH <= len(text) < 1.5 * LENGTH
        assert all(sign in text for sign in ("| --- |", "```python", "$$", "面", "](https://", "1. **"))

    def test_are_all_different(self):
        rng = random.Random(0)

        assert len({answer(rng) for _ in range(50)}) == 50


@pytest.mark.parametrize("name", TEXTS)
def test_pathological_texts_can_be_stored(name):
    assert 0 < len(TEXTS[name]().strip()) <= 100_000


@pytest.mark.skipif(not (FRONTEND / "dist" / "index.html").exists(), reason="The screens are not built.")
class TestFirstLoad:
    def test_has_the_entry_and_what_it_imports_and_nothing_that_comes_later(self):
        names = [file.name for file in first_load("js")]

        assert names[0].startswith("app-")
        assert len(set(names)) == len(names) > 3
        assert not [
            name for name in names if name.startswith(("typeset", "highlight", "rank-screen", "markdown"))
        ]
