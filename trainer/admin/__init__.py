"""The machines' half of the admin panel."""

from trainer.admin import (
    arenas,
    checkpoints,
    exports,
    feedback,
    nodes,
    onward,
    pipelines,
    promotions,
    runs,
    samples,
    snapshots,
    synthetic,
)

__all__ = [
    "arenas",
    "checkpoints",
    "exports",
    "feedback",
    "nodes",
    "onward",
    "pipelines",
    "promotions",
    "runs",
    "samples",
    "snapshots",
    "synthetic",
]
