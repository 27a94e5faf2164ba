"""The desk's rows: what was frozen, exported, run and made."""

from trainer.models.checkpoints import Checkpoint
from trainer.models.exports import Export
from trainer.models.runs import Run, RunMetric
from trainer.models.samples import SampledCompletion
from trainer.models.snapshots import Snapshot

__all__ = ["Checkpoint", "Export", "Run", "RunMetric", "SampledCompletion", "Snapshot"]
