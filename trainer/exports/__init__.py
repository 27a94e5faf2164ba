"""Snapshots in the field's formats."""

from trainer.exports.folder import FORMATS, export_snapshot, formats_for

__all__ = ["FORMATS", "export_snapshot", "formats_for"]
