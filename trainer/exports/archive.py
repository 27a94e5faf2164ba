"""A folder as one download."""

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO, RawIOBase
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

_DATE = (1980, 1, 1, 0, 0, 0)
"""The same export, the same bytes: no clock in them."""


class _Outbox(RawIOBase):
    """What the archive writes, until it is sent: nothing of it waits on a disk."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def empty(self) -> bytes:
        pieces, self._pieces = b"".join(self._pieces), []
        return pieces


def zipped(folder: Path, names: Sequence[str], name: str) -> Iterator[bytes]:
    """The archive, piece by piece, of these files of ``folder``; inside they stand in a folder ``name``."""
    yield from zipped_files({file: folder / file for file in names}, name)


def zipped_files(files: Mapping[str, Path | bytes], name: str) -> Iterator[bytes]:
    """The same of files from anywhere, by the names that they have inside."""
    outbox = _Outbox()
    with ZipFile(outbox, "w") as target:
        for file, source in files.items():
            entry = ZipInfo(f"{name}/{file}", _DATE)
            # Weights hardly shrink, and would take a minute to find that out.
            entry.compress_type = ZIP_STORED if file.endswith(".safetensors") else ZIP_DEFLATED
            opened = BytesIO(source) if isinstance(source, bytes) else source.open("rb")
            with opened as blocks, target.open(entry, "w", force_zip64=True) as sink:
                while block := blocks.read(1 << 20):
                    sink.write(block)
                    yield outbox.empty()
    yield outbox.empty()
