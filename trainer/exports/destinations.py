"""Any place that fsspec can write to."""

from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import fsspec
from django.utils.translation import gettext as _
from fsspec.core import url_to_fs

from trainer.errors import BadDestination
from trainer.exports.folder import MANIFEST


def check_destination(url: str) -> None:
    """:raises BadDestination: nothing can be written there, or the address holds a password."""
    address = urlsplit(url)
    if not address.scheme or address.scheme not in fsspec.available_protocols():
        raise BadDestination(_("The address must start with a kind of storage that is known, such as s3://."))
    if "@" in address.netloc or address.query:
        # It would stand in the database, in pages and in logs.
        raise BadDestination(
            _("Leave passwords and keys out of the address: the server takes them from its environment.")
        )


def push_folder(
    folder: Path, names: Sequence[str], url: str, watch: Callable[[], None] = lambda: None
) -> None:
    """Copy the files, the manifest last: where there is none, something is missing."""
    storage, root = url_to_fs(url)
    storage.makedirs(root, exist_ok=True)
    place = f"{root.rstrip('/')}/"
    if storage.exists(place + MANIFEST):
        storage.rm_file(place + MANIFEST)
    for name in sorted(names, key=lambda name: name == MANIFEST):
        watch()
        storage.put_file(str(folder / name), place + name)
