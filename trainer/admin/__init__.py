"""The machines' half of the admin panel."""

from trainer.admin import checkpoints, runs, samples, snapshots

__all__ = ["checkpoints", "runs", "samples", "snapshots"]
