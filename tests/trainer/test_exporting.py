"""Exports in the background: from the queue to a folder or an address, whatever happens to the worker."""

from datetime import timedelta
from itertools import count

import fsspec
import pytest
from django.core.management import CommandError, call_command

from tests.conftest import NOON
from trainer import dispatch, tasks
from trainer.actions import exporting
from trainer.actions.exporting import execute_next_export, reclaim_overdue_exports
from trainer.actions.exports import cancel_export, queue_export
from trainer.errors import BadDestination, ExportAlreadyFinished, FormatDoesNotFit
from trainer.exports import export_snapshot, folder
from trainer.handoff import records
from trainer.handoff.rundir import digest_of_file, digest_of_folder
from trainer.models import Export

LATER = NOON + timedelta(hours=1)
MEMORY = "memory://exports"


@pytest.fixture(autouse=True)
def bell(monkeypatch):
    monkeypatch.setattr(dispatch, "ring_for_export", lambda: None)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Two rows a row group, a row group a shard, a look at each row: eight rows are four shards."""
    monkeypatch.setattr(records, "ROWS_IN_GROUP", 2)
    monkeypatch.setattr(folder, "ROWS_IN_SHARD", 2)
    monkeypatch.setattr(folder, "ROWS_BETWEEN_LOOKS", 1)


@pytest.fixture
def queue(frozen, rhea):
    def queue(format="trl-preference", kind="rankings", **more):
        return queue_export(snapshot=frozen[kind], format=format, created_by=rhea, now=NOON, **more)

    return queue


def work(stopping=lambda: False, clock=None):
    return execute_next_export(clock=clock or (lambda: NOON), stopping=stopping)


def ticking(seconds):
    """A clock that goes on with every look at it."""
    looks = count()
    return lambda: NOON + timedelta(seconds=seconds * next(looks))


class Killed(BaseException):
    """The process is gone: nothing can catch this."""


def kill_at(monkeypatch, shard):
    """The worker dies while it writes this shard."""
    write_shard = exporting.write_shard

    def write_until(plan, number, out, watch):
        if number == shard:
            (out / "writing-half").mkdir()
            raise Killed
        return write_shard(plan, number, out, watch)

    monkeypatch.setattr(exporting, "write_shard", write_until)
    with pytest.raises(Killed):
        work()
    monkeypatch.setattr(exporting, "write_shard", write_shard)


class TestExecuteNextExport:
    def test_writes_what_the_command_would(self, queue, frozen, tmp_path):
        export = queue()

        work()

        export.refresh_from_db()
        manifest = export_snapshot(frozen["rankings"], "trl-preference", tmp_path / "out")
        assert (export.status, export.rows_read) == (Export.Status.SUCCEEDED, frozen["rankings"].rows)
        assert export.manifest == manifest
        assert digest_of_folder(export.folder) == digest_of_folder(tmp_path / "out")
        assert "train-00001.jsonl" in manifest["files"]

    def test_takes_the_oldest_first_and_nothing_when_nothing_waits(self, queue):
        first, second = queue(), queue()

        assert [work(), work(), work()] == [first, second, None]

    @pytest.mark.parametrize("shard", range(4))
    def test_goes_on_after_the_shards_of_a_killed_worker(self, queue, frozen, monkeypatch, tmp_path, shard):
        export = queue()
        kill_at(monkeypatch, shard)
        before = {
            path.name: path.stat().st_mtime_ns
            for path in export.folder.iterdir()
            if path.name != "writing-half"
        }

        reclaim_overdue_exports(now=LATER)
        work()

        export.refresh_from_db()
        export_snapshot(frozen["rankings"], "trl-preference", tmp_path / "out")
        assert (export.status, export.attempt) == (Export.Status.SUCCEEDED, 2)
        assert digest_of_folder(export.folder) == digest_of_folder(tmp_path / "out")
        assert all((export.folder / name).stat().st_mtime_ns == time for name, time in before.items())
        assert len(before) >= shard

    def test_gives_up_after_three_silences(self, queue, monkeypatch):
        export = queue()
        for _ in range(3):
            kill_at(monkeypatch, 0)
            reclaim_overdue_exports(now=LATER)

        export.refresh_from_db()
        assert export.status == Export.Status.FAILED
        assert "3 times" in export.failure

    def test_stops_between_two_batches_when_it_is_cancelled(self, queue):
        export = queue()
        tick = ticking(seconds=1.5)
        looks = count()

        def clock():
            if next(looks) == 4:
                cancel_export(Export.objects.get(), now=NOON)
            return tick()

        work(clock=clock)

        export.refresh_from_db()
        assert export.status == Export.Status.CANCELLED
        assert 0 < export.rows_read < export.snapshot.rows
        assert not (export.folder / "manifest.json").exists()

    def test_goes_back_to_the_queue_when_its_worker_leaves(self, queue):
        export = queue()
        asked = count()

        work(stopping=lambda: next(asked) == 2)

        export.refresh_from_db()
        assert export.status == Export.Status.QUEUED
        assert 0 < export.rows_read < export.snapshot.rows

    def test_gives_way_to_other_work_after_its_turn(self, queue):
        export = queue()
        turns = 0
        while Export.objects.queued().exists():
            work(clock=ticking(seconds=6))
            turns += 1

        export.refresh_from_db()
        assert export.status == Export.Status.SUCCEEDED
        assert turns == 4

    def test_a_late_attempt_changes_nothing(self, queue):
        export = queue()
        export.claim(now=NOON, lease=timedelta(seconds=60))
        late = Export.objects.get()
        reclaim_overdue_exports(now=LATER)
        work()

        assert not late.extend(now=LATER, lease=timedelta(seconds=60), rows_read=1)
        assert not late.fail("Late.", now=LATER)
        export.refresh_from_db()
        assert export.status == Export.Status.SUCCEEDED

    def test_fails_in_words_when_the_snapshots_file_is_gone(self, queue):
        export = queue()
        export.snapshot.file.unlink()

        work()

        export.refresh_from_db()
        assert export.status == Export.Status.FAILED
        assert "gone" in export.failure

    def test_fails_in_words_when_the_disk_says_no(self, queue, settings, tmp_path):
        export = queue()
        (tmp_path / "full").write_text("")
        settings.EXPORTS_ROOT = tmp_path / "full"

        work()

        export.refresh_from_db()
        assert export.status == Export.Status.FAILED
        assert "could not be carried out" in export.failure

    def test_is_a_task(self, queue):
        export = queue()

        tasks.execute_next_export()

        export.refresh_from_db()
        assert export.status == Export.Status.SUCCEEDED


@pytest.fixture
def memory():
    storage = fsspec.filesystem("memory")
    yield storage
    if storage.exists("/exports"):
        storage.rm("/exports", recursive=True)


class TestDestinations:
    def test_get_every_file_and_leave_none_here(self, queue, memory):
        export = queue(destination=MEMORY)

        work()

        export.refresh_from_db()
        there = {path.rsplit("/", 1)[1] for path in memory.ls("/exports", detail=False)}
        assert export.status == Export.Status.SUCCEEDED
        assert there == {*export.manifest["files"], "manifest.json"}
        assert not export.folder.exists()

    def test_have_no_manifest_when_a_push_breaks_off(self, queue, memory, monkeypatch):
        memory.makedirs("/exports")
        memory.pipe_file("/exports/manifest.json", b"of an older export")
        monkeypatch.setattr(type(memory), "put_file", broken)
        export = queue(destination=MEMORY)

        work()

        export.refresh_from_db()
        assert export.status == Export.Status.FAILED
        assert not memory.exists("/exports/manifest.json")

    def test_take_files_too(self, queue, tmp_path):
        export = queue(destination=f"file://{tmp_path}/elsewhere")

        work()

        export.refresh_from_db()
        files = export.manifest["files"]
        assert all(digest_of_file(tmp_path / "elsewhere" / name) == files[name] for name in files)

    @pytest.mark.parametrize(
        "address",
        ["s3://key:secret@bucket/x", "abfs://x/y?sig=secret", "nowhere://x", "just/a/folder"],
    )
    def test_with_a_password_or_of_no_known_kind_are_refused(self, queue, address):
        with pytest.raises(BadDestination) as refusal:
            queue(destination=address)

        assert "secret" not in str(refusal.value)
        assert not Export.objects.exists()

    def test_are_for_the_command_too(self, frozen, memory):
        call_command("export_snapshot", frozen["prompts"].pk, format="native", out=MEMORY)

        assert memory.exists("/exports/manifest.json")

    def test_that_lack_a_driver_are_told_in_words(self, frozen):
        with pytest.raises(CommandError, match="cannot be written"):
            call_command("export_snapshot", frozen["prompts"].pk, format="native", out="s3://bucket/x")


def broken(*arguments, **options):
    raise OSError("The line is down.")


class TestQueueExport:
    @pytest.mark.parametrize(
        ("format", "container"), [("csv", ""), ("native", "jsonl"), ("oasst", "parquet"), ("listwise", "xls")]
    )
    def test_refuses_what_does_not_fit(self, queue, format, container):
        with pytest.raises(FormatDoesNotFit):
            queue(format, container=container)

    def test_knows_the_usual_container(self, queue):
        assert (queue().container, queue("native").container) == ("jsonl", "parquet")


class TestCancelExport:
    def test_ends_a_waiting_one_at_once(self, queue):
        export = queue()

        cancel_export(export, now=NOON)

        assert export.status == Export.Status.CANCELLED
        assert work() is None

    def test_refuses_a_second_time(self, queue):
        export = queue()
        cancel_export(export, now=NOON)

        with pytest.raises(ExportAlreadyFinished):
            cancel_export(export, now=NOON)

    def test_ends_one_whose_worker_fell_silent(self, queue, monkeypatch):
        export = queue()
        kill_at(monkeypatch, 1)
        cancel_export(Export.objects.get(), now=NOON)

        reclaim_overdue_exports(now=LATER)

        export.refresh_from_db()
        assert export.status == Export.Status.CANCELLED


class TestDeleting:
    @pytest.fixture
    def done(self, queue):
        export = queue()
        work()
        export.refresh_from_db()
        assert export.folder.exists()
        return export

    def test_a_row_deletes_its_files(self, done, django_capture_on_commit_callbacks):
        kept = done.folder

        with django_capture_on_commit_callbacks(execute=True):
            done.delete()

        assert not kept.exists()

    def test_many_rows_deletes_theirs(self, done, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            Export.objects.filter(pk=done.pk).delete()

        assert not done.folder.exists()
