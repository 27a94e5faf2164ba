"""Snapshots are immutable: what they still hold of people who were erased is told, and can be deleted."""

import shutil
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from annotation.actions.erasure import erase_person
from annotation.models import Ranking, Tombstone
from tests.conftest import NOON
from trainer.actions.erasures import delete_rows, erased_rows
from trainer.actions.snapshots import freeze_snapshot
from trainer.admin.erasures import erased_since
from trainer.errors import SnapshotInUse
from trainer.handoff.records import RECORDS, read_records
from trainer.models import Export, Snapshot

LATER = NOON + timedelta(days=1)
MODES = pytest.mark.parametrize("mode", Tombstone.Mode.values)


@pytest.fixture
def snapshot(kitchen, rankings, rhea):
    return freeze_snapshot(campaign=kitchen, kind=Snapshot.Kind.RANKINGS, created_by=rhea, now=NOON)


@MODES
def test_rows_of_who_was_erased_later_are_counted(snapshot, ada, mode):
    assert erased_rows(snapshot) == {}
    hers = Ranking.objects.filter(labeler=ada).count()

    erase_person(person=ada, mode=mode, by=None, now=LATER)

    assert erased_rows(snapshot) == {mode: hers}
    assert hers > 0
    assert "delete_snapshot_rows" in erased_since(snapshot)


def test_rows_that_were_anonymous_when_they_were_frozen_are_not(snapshot, kitchen, ada, rhea):
    erase_person(person=ada, mode=Tombstone.Mode.ANONYMISED, by=None, now=LATER)

    later = freeze_snapshot(
        campaign=kitchen, kind=Snapshot.Kind.RANKINGS, created_by=rhea, now=LATER + timedelta(days=1)
    )

    assert later != snapshot
    assert erased_rows(later) == {}


def test_a_later_snapshot_has_another_pseudonym(snapshot, kitchen, ada, rhea):
    erase_person(person=ada, mode=Tombstone.Mode.ANONYMISED, by=None, now=LATER)
    later = freeze_snapshot(campaign=kitchen, kind=Snapshot.Kind.RANKINGS, created_by=rhea, now=LATER)

    names = [
        {record.labeler for record in read_records(frozen.file, RECORDS["rankings"])}
        for frozen in (snapshot, later)
    ]
    assert names[0].isdisjoint(names[1])


class TestDeletingRows:
    def test_takes_every_copy_on_this_machine_and_keeps_the_record(self, snapshot, frozen, sft_run, capsys):
        export = Export.objects.create(snapshot=snapshot, format="trl", container="jsonl", created_at=NOON)
        export.folder.mkdir(parents=True)
        others = frozen["demonstrations"]
        read = [sft_run.folder_of(attempt) / "data" for attempt in (1, 2)]
        for folder in read:
            folder.mkdir(parents=True)
            for kept in (snapshot, others):
                shutil.copyfile(kept.file, folder / kept.file.name)

        call_command("delete_snapshot_rows", snapshot.pk, yes=True)

        assert not snapshot.folder.exists()
        assert not export.folder.exists()
        assert [path.name for folder in read for path in folder.iterdir()] == [others.file.name] * 2
        assert others.file.exists()
        assert Snapshot.objects.get(pk=snapshot.pk).digest == snapshot.digest
        assert "4 places deleted" in capsys.readouterr().out
        assert erased_since(snapshot) == "Its rows were deleted."

    def test_waits_for_the_runs_that_read_them(self, snapshot, sft_run):
        sft_run.snapshot = snapshot
        sft_run.save()

        with pytest.raises(SnapshotInUse):
            delete_rows(snapshot)

        assert snapshot.file.exists()

    def test_needs_the_id_typed(self, snapshot, monkeypatch):
        monkeypatch.setattr("builtins.input", lambda _: "yes")

        with pytest.raises(CommandError, match="Nothing was deleted"):
            call_command("delete_snapshot_rows", snapshot.pk)

        assert snapshot.file.exists()


def test_the_command_lists_which_snapshots_it_concerns(snapshot, ada, capsys):
    erase_person(person=ada, mode=Tombstone.Mode.REMOVED, by=None, now=LATER)

    call_command("delete_snapshot_rows")

    assert f"#{snapshot.pk} " in capsys.readouterr().out
