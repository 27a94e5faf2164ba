"""The desk's rows: what was frozen, run and made."""

from trainer.models.checkpoints import Checkpoint
from trainer.models.runs import Run, RunMetric
from trainer.models.samples import SampledCompletion
from trainer.models.snapshots import Snapshot

__all__ = ["Checkpoint", "Run", "RunMetric", "SampledCompletion", "Snapshot"]
