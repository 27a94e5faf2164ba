"""Compression as runs of the desk: what they read, what they make, and what their pages say."""

import pytest

from tests.conftest import NOON
from trainer.actions.checkpoints import store_result
from trainer.actions.runs import queue_run
from trainer.models import Checkpoint

KINDS = ["quantize", "distill", "prune", "share"]
COMPARED = [{"name": "size_mb", "before": 269.06, "after": 88.25, "ratio": 0.328}]


class TestCompressing:
    @pytest.mark.parametrize("kind", KINDS)
    def test_makes_a_compressed_checkpoint(self, frozen, base, reward_model, kind):
        run = queue_run(
            kind=kind,
            snapshot=frozen["demonstrations"],
            base=base,
            reward=reward_model,
            created_by=None,
            now=NOON,
        )

        made = store_result(run, location="there", digest=f"{run.pk:064x}", summary={}, now=NOON)

        assert run.makes_weights
        assert Checkpoint.objects.get(pk=made.pk).kind == Checkpoint.Kind.COMPRESSED
        assert made.produced_by == run

    @pytest.mark.parametrize(("language", "words"), [("en", "Size on disk, in MB"), ("zh-hans", "磁盘占用")])
    def test_shows_what_was_before_and_after(self, client, rhea, frozen, base, language, words):
        snapshot = frozen["demonstrations"]
        run = queue_run(kind="quantize", snapshot=snapshot, base=base, created_by=None, now=NOON)
        run.summary = {"compared": COMPARED}
        run.save(update_fields=["summary"])
        client.force_login(rhea)

        page = client.get(
            f"/admin/trainer/run/{run.pk}/change/", headers={"Accept-Language": language}
        ).content.decode()

        assert words in page
        assert "269.06" in page
        assert "0.328" in page
