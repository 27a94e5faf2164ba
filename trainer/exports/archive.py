import tempfile
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from trainer.exports.folder import export_snapshot
from trainer.models import Snapshot

_DATE = (1980, 1, 1, 0, 0, 0)
"""The same export, the same bytes: no clock in them."""


def zipped_export(snapshot: Snapshot, format: str) -> IO[bytes]:
    """The folder of ``export_snapshot`` as an open file that is gone once it is closed.

    :raises FormatDoesNotFit: the format is not known, or holds another kind of rows.
    :raises SnapshotFileMissing: the snapshot's file is gone.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / export_name(snapshot, format)
        export_snapshot(snapshot, format, out)
        archive = tempfile.TemporaryFile()  # noqa: SIM115  # whoever gets it closes it
        _write(out, archive)
    archive.seek(0)
    return archive


def export_name(snapshot: Snapshot, format: str) -> str:
    return f"snapshot-{snapshot.pk}-{snapshot.digest[:8]}-{format}"


def _write(folder: Path, archive: IO[bytes]) -> None:
    with ZipFile(archive, "w") as target:
        for file in sorted(folder.iterdir()):
            entry = ZipInfo(f"{folder.name}/{file.name}", _DATE)
            entry.compress_type = ZIP_DEFLATED
            with file.open("rb") as source, target.open(entry, "w") as sink:
                while block := source.read(1 << 20):
                    sink.write(block)
