from dataclasses import replace

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from annotation.models import Demonstration, Ranking, Tombstone
from tests.conftest import NOON
from trainer.actions import snapshot_diffs
from trainer.actions.snapshot_diffs import diff_snapshots
from trainer.actions.snapshots import freeze_snapshot
from trainer.errors import SnapshotFileMissing, SnapshotsDoNotCompare
from trainer.handoff.records import PromptRecord, RankingRecord, read_records, write_records


def freeze(campaign, kind="rankings"):
    return freeze_snapshot(campaign=campaign, kind=kind, created_by=None, now=NOON)


class TestDiffSnapshots:
    def test_of_a_snapshot_with_itself_is_empty(self, frozen):
        for snapshot in frozen.values():
            diff = diff_snapshots(old=snapshot, new=snapshot)

            assert (diff.unchanged, diff.added, diff.removed, diff.changed) == (snapshot.rows, 0, 0, 0)

    def test_tells_what_was_removed_and_that_it_was_erased(self, kitchen, frozen, rankings):
        gone = rankings[2].pk
        Tombstone.objects.create(campaign=kitchen, kind="ranking", row=gone, mode="removed", erased_at=NOON)
        for ranking in rankings[2:4]:
            Ranking.objects.filter(pk=ranking.pk).delete()

        diff = diff_snapshots(old=frozen["rankings"], new=freeze(kitchen))

        assert (diff.removed, diff.tombstoned, diff.unchanged) == (2, 1, len(rankings) - 2)
        assert sum(diff.labelers["removed"].values()) == 2

    def test_tells_which_columns_changed_and_for_which_prompt(self, kitchen, frozen, rankings, prompts):
        Ranking.objects.filter(pk=rankings[0].pk).update(rationale="Hm.", seconds_spent=1)

        diff = diff_snapshots(old=frozen["rankings"], new=freeze(kitchen))

        assert diff.changed == 1
        assert diff.columns == {"rationale": 1, "seconds_spent": 1}
        assert diff.prompts == {prompts[0].pk: 1}

    def test_is_the_mirror_of_itself(self, kitchen, frozen, demonstrations):
        Demonstration.objects.filter(pk=demonstrations[0].pk).update(status="RETURNED")
        older, newer = frozen["demonstrations"], freeze(kitchen, "demonstrations")

        there, back = diff_snapshots(old=older, new=newer), diff_snapshots(old=newer, new=older)

        assert (there.removed, there.added) == (back.added, back.removed) == (1, 0)

    def test_refuses_different_kinds(self, frozen):
        with pytest.raises(SnapshotsDoNotCompare):
            diff_snapshots(old=frozen["rankings"], new=frozen["prompts"])

    def test_refuses_rows_that_are_in_no_order(self, frozen):
        file = frozen["rankings"].file
        write_records(file, RankingRecord, reversed(read_records(file, RankingRecord)))

        with pytest.raises(SnapshotsDoNotCompare, match="anew"):
            diff_snapshots(old=frozen["rankings"], new=frozen["rankings"])

    def test_says_when_a_file_is_gone(self, frozen):
        frozen["prompts"].file.unlink()

        with pytest.raises(SnapshotFileMissing):
            diff_snapshots(old=frozen["prompts"], new=frozen["prompts"])

    def test_is_told_by_a_command(self, frozen, capsys):
        pk = frozen["rankings"].pk

        call_command("diff_snapshots", pk, pk)

        assert f"unchanged: {frozen['rankings'].rows}" in capsys.readouterr().out


PROMPT = PromptRecord(prompt_id=1, digest="d", split="train", kind="", language="", messages=[])
CONTENTS = st.dictionaries(st.integers(1, 30), st.sampled_from("ab"))


class TestSideBySide:
    @given(CONTENTS, CONTENTS)
    def test_finds_what_two_dictionaries_say(self, old, new):
        def stream(contents):
            return iter([replace(PROMPT, prompt_id=pk, kind=contents[pk]) for pk in sorted(contents)])

        pairs = list(snapshot_diffs._side_by_side(stream(old), stream(new)))

        met = {(before or after).prompt_id: (before, after) for before, after in pairs}
        assert len(met) == len(pairs)
        assert {pk: (b and b.kind, a and a.kind) for pk, (b, a) in met.items()} == {
            pk: (old.get(pk), new.get(pk)) for pk in old.keys() | new.keys()
        }
