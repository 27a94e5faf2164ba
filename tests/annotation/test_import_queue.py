"""Imports in the background: whoever is cancelled, killed or overtaken, the rows and the report are right."""

import json
from datetime import timedelta

import pytest

from annotation.actions import import_queue, imports
from annotation.actions.import_queue import (
    cancel_import,
    delete_import,
    reclaim_overdue_imports,
    run_next_import,
    start_import,
)
from annotation.errors import FileTooLarge, ImportAlreadyFinished
from annotation.models import Import, Prompt, Ranking
from tests.conftest import NOON

LATER = NOON + timedelta(minutes=5)


def lines(*prompts):
    return b"".join(json.dumps({"prompt": prompt}).encode() + b"\n" for prompt in prompts)


@pytest.fixture
def start(kitchen, rhea):
    def start_one(content, format_name="prompts", file_name="prompts.jsonl"):
        return start_import(
            campaign=kitchen,
            format_name=format_name,
            file_name=file_name,
            chunks=[content[:7], content[7:]],
            created_by=rhea,
            now=NOON,
        )

    return start_one


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(imports, "BATCH_ROWS", 2)


def run(now=NOON):
    return run_next_import(clock=lambda: now)


def files(settings):
    return list(settings.IMPORTS_ROOT.iterdir())


class Killed(BaseException):
    """No exception handler of ours sees a worker that is killed."""


@pytest.fixture
def kill_after(monkeypatch):
    """Kills the worker in its next batch but ``batches``, before that one is stored."""

    def set_up(batches):
        left = iter([True] * batches)
        real = imports._land

        def land(*args):
            if not next(left, False):
                raise Killed
            return real(*args)

        monkeypatch.setattr(imports, "_land", land)
        return lambda: monkeypatch.setattr(imports, "_land", real)

    return set_up


class TestAnImport:
    def test_lands_its_rows_and_tells_of_the_others(self, start, settings):
        start(lines("Soup?") + b"not json\n" + lines("Rice?", "Soup?"))

        done = run()

        assert done.status == Import.Status.SUCCEEDED
        assert (done.added, done.unchanged) == ({"prompts": 2}, {"prompts": 1})
        assert [(problem["line"], problem["code"]) for problem in done.problems] == [(2, "malformed_json")]
        assert (done.lines_read, done.bytes_read, done.problem_count) == (4, done.bytes, 1)
        assert files(settings) == []

    def test_waits_for_those_before_it(self, start):
        first, second = start(lines("Soup?")), start(lines("Rice?"))

        assert [run(), run(), run()] == [first, second, None]

    def test_knows_its_container_by_the_name_of_the_file(self, start):
        start(b"prompt,kind\nSoup?,question\n", file_name="prompts.csv")

        run()

        assert Prompt.objects.get().kind == "question"

    def test_fails_in_words_when_nothing_could_be_used(self, start, settings):
        start(b"not json\n")

        failed = run()

        assert (failed.status, failed.failure) == ("FAILED", "Nothing in this file could be imported.")
        assert len(files(settings)) == 1

    def test_fails_in_words_when_its_file_is_gone(self, start, settings):
        start(lines("Soup?"))
        files(settings)[0].unlink()

        failed = run()

        assert failed.status == Import.Status.FAILED
        assert "FileNotFoundError" in failed.failure

    def test_keeps_what_a_damaged_file_has(self, start):
        start(lines("Soup?") + b"\x1f\x8b", file_name="prompts.jsonl")
        start(b"\x1f\x8b\x08 and nothing")

        assert [run().status, run().status] == ["SUCCEEDED", "FAILED"]

    def test_keeps_only_the_first_problems(self, start, monkeypatch):
        monkeypatch.setattr(import_queue, "KEPT_PROBLEMS", 3)
        start(lines("Soup?") + b"not json\n" * 5)

        done = run()

        assert ([problem["line"] for problem in done.problems], done.problem_count) == ([2, 3, 4], 5)

    def test_refuses_a_file_that_is_too_large_and_keeps_none_of_it(self, start, settings, monkeypatch):
        monkeypatch.setattr(import_queue, "MAX_BYTES", 10)

        with pytest.raises(FileTooLarge):
            start(lines("Soup?"))

        assert (files(settings), Import.objects.count()) == ([], 0)

    def test_is_forgotten_with_its_file(self, start, settings):
        start(b"not json\n")

        delete_import(run())

        assert (files(settings), Import.objects.count()) == ([], 0)

    def test_is_not_forgotten_while_it_waits(self, start):
        with pytest.raises(ImportAlreadyFinished):
            delete_import(start(lines("Soup?")))


@pytest.mark.usefixtures("small_batches")
class TestCancelling:
    def test_ends_one_that_waits_at_once(self, start, settings):
        row = start(lines("Soup?"))

        cancel_import(row, now=NOON)

        assert (row.status, run(), files(settings)) == ("CANCELLED", None, [])

    def test_ends_one_that_runs_between_two_batches(self, start, settings, monkeypatch):
        row = start(lines("Soup?", "Rice?", "Tea?", "Ice?", "Jam?"))
        real = imports._land

        def land(*args):
            landed = real(*args)
            if Prompt.objects.count() == 2:
                cancel_import(Import.objects.get(), now=NOON)
            return landed

        monkeypatch.setattr(imports, "_land", land)
        run()

        row.refresh_from_db()
        assert (row.status, row.added, row.lines_read) == ("CANCELLED", {"prompts": 2}, 2)
        assert (Prompt.objects.count(), files(settings)) == (2, [])

    def test_refuses_one_that_is_over(self, start):
        start(lines("Soup?"))

        with pytest.raises(ImportAlreadyFinished):
            cancel_import(run(), now=NOON)


@pytest.mark.usefixtures("small_batches")
class TestAKilledWorker:
    CONTENT = lines("Soup?", "Rice?", "Soup?") + b"not json\n" + lines("Tea?", "Ice?", "Jam?")

    @pytest.mark.parametrize("batches", [0, 1, 2, 3])
    def test_leaves_an_import_that_ends_with_the_same_report(self, start, kill_after, batches):
        row = start(self.CONTENT)
        revive = kill_after(batches)
        with pytest.raises(Killed):
            run()
        revive()

        assert reclaim_overdue_imports(now=LATER) == 1
        done = run(LATER)

        assert (done.pk, done.status, done.attempt) == (row.pk, "SUCCEEDED", 2)
        assert (done.added, done.unchanged) == ({"prompts": 5}, {"prompts": 1})
        assert (done.problem_count, done.lines_read) == (1, 7)
        assert [problem["line"] for problem in done.problems] == [4]

    def test_is_not_replaced_for_ever(self, start, kill_after):
        start(self.CONTENT)
        kill_after(0)
        for attempt in range(import_queue.MAX_ATTEMPTS):
            with pytest.raises(Killed):
                run(NOON + attempt * timedelta(hours=1))
            reclaim_overdue_imports(now=NOON + (attempt + 1) * timedelta(hours=1))

        row = Import.objects.get()
        assert (row.status, row.failure) == ("FAILED", "Its worker fell silent 3 times.")

    def test_that_was_only_slow_stores_nothing_more(self, start, monkeypatch):
        row = start(lines("Soup?", "Rice?", "Tea?", "Ice?"))
        real = imports._land

        def land(*args):
            landed = real(*args)
            reclaim_overdue_imports(now=LATER)
            return landed

        monkeypatch.setattr(imports, "_land", land)
        run()

        row.refresh_from_db()
        assert (row.status, row.lines_read, Prompt.objects.count()) == ("QUEUED", 2, 2)


class TestEveryBatchSize:
    """Batches are for speed alone."""

    CONTENT = b"".join(
        json.dumps(row).encode() + b"\n"
        for row in [
            {"prompt": "Soup?", "completions": ["Boil.", "Fry."], "tiers": [[0], [1]]},
            {"prompt": "Soup?", "completions": ["Fry.", "Boil."], "tiers": [[1], [0]]},
            {"prompt": "Soup?", "completions": ["Fry.", "Boil."], "tiers": [[0], [1]]},
            {"prompt": "Rice?", "completions": ["Boil.", "Fry."], "tiers": [[0, 1]]},
            {"prompt": "Rice?", "completions": ["Boil.", "Fry.", "Steam."]},
            {"prompt": "Rice?", "completions": ["Steam.", "Boil.", "Fry."], "tiers": [[0], [1, 2]]},
            {"prompt": "Soup?"},
            {"prompt": ""},
        ]
    )

    @pytest.mark.parametrize("size", [1, 2, 3, 100])
    def test_gives_the_same_rows_and_the_same_report(self, start, monkeypatch, size):
        monkeypatch.setattr(imports, "BATCH_ROWS", size)
        start(self.CONTENT)
        start(self.CONTENT)

        done, again = run(), run()

        assert done.added == {"prompts": 2, "candidate sets": 3, "rankings": 3}
        assert done.unchanged == {"prompts": 4, "candidate sets": 2, "rankings": 1}
        assert [(p["line"], p["code"]) for p in done.problems] == [
            (3, "idempotency_conflict"),
            (8, "empty_turn"),
        ]
        assert (again.added, again.unchanged) == ({}, {"prompts": 6, "candidate sets": 5, "rankings": 4})
        assert Ranking.objects.count() == 3
