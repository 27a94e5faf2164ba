"""Snapshots in the field's formats."""

from trainer.exports.archive import export_name, zipped_export
from trainer.exports.folder import FORMATS, export_snapshot, formats_for

__all__ = ["FORMATS", "export_name", "export_snapshot", "formats_for", "zipped_export"]
