import gzip
from io import TextIOWrapper
from typing import IO, TextIO, cast

GZIP_MAGIC = b"\x1f\x8b"


def as_text(file: IO[bytes]) -> TextIO:
    """The text of a file, gzipped or not, whatever its name says.

    Bytes that are no UTF-8 become lone surrogates, which each row then refuses.
    """
    is_gzip = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    file.seek(0)
    content = cast(IO[bytes], gzip.GzipFile(fileobj=file)) if is_gzip else file
    return TextIOWrapper(content, encoding="utf-8-sig", errors="surrogateescape")
