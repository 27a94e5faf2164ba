"""Snapshots in the field's formats."""

from trainer.exports.containers import CONTAINERS
from trainer.exports.folder import export_snapshot
from trainer.exports.formats import FORMATS, formats_for

__all__ = ["CONTAINERS", "FORMATS", "export_snapshot", "formats_for"]
