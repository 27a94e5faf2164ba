"""The machines' half of the admin panel."""

from trainer.admin import checkpoints, exports, feedback, nodes, promotions, runs, samples, snapshots

__all__ = ["checkpoints", "exports", "feedback", "nodes", "promotions", "runs", "samples", "snapshots"]
