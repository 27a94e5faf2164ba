"""The machines' half of the admin panel."""

from trainer.admin import checkpoints, exports, nodes, runs, samples, snapshots

__all__ = ["checkpoints", "exports", "nodes", "runs", "samples", "snapshots"]
