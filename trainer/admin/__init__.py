"""The machines' half of the admin panel."""

from trainer.admin import checkpoints, exports, runs, samples, snapshots

__all__ = ["checkpoints", "exports", "runs", "samples", "snapshots"]
