"""A folder that other tools read: the data, a card that explains it, and a manifest that proves it."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from trainer.errors import FormatDoesNotFit, SnapshotFileMissing
from trainer.exports.card import dataset_card
from trainer.exports.trl import Row, preference_rows, prompt_completion_rows
from trainer.handoff.records import RECORDS, read_records
from trainer.handoff.rundir import digest_of_file
from trainer.models import Snapshot

SPLITS = ["train", "held_out"]


@dataclass(frozen=True, kw_only=True)
class Format:
    kinds: tuple[str, ...]
    rows: Callable[[Any], Iterator[Row]] | None
    """How a record becomes lines of JSON; None copies the snapshot's Parquet file."""


FORMATS = {
    "trl-preference": Format(kinds=("rankings",), rows=preference_rows),
    "trl-prompt-completion": Format(kinds=("demonstrations",), rows=prompt_completion_rows),
    "native": Format(kinds=("demonstrations", "rankings", "prompts"), rows=None),
}


def formats_for(kind: str) -> list[str]:
    return [name for name, format in FORMATS.items() if kind in format.kinds]


def export_snapshot(snapshot: Snapshot, format: str, out: Path) -> dict[str, Any]:
    """Write the snapshot into the folder ``out`` and return its manifest; the same one, the same bytes.

    :raises FormatDoesNotFit: the format is not known, or holds another kind of rows.
    :raises SnapshotFileMissing: the snapshot's file is gone.
    """
    if format not in formats_for(snapshot.kind):
        raise FormatDoesNotFit(_fitting(snapshot, format))
    if not snapshot.file.exists():
        raise SnapshotFileMissing(_("The file of snapshot %(id)d is gone.") % {"id": snapshot.pk})
    out.mkdir(parents=True, exist_ok=True)
    rows = _write_rows(snapshot, FORMATS[format], out)
    (out / "README.md").write_text(dataset_card(snapshot, format, rows), encoding="utf-8")
    manifest = {
        "snapshot": snapshot.digest,
        "kind": snapshot.kind,
        "format": format,
        "rows": rows,
        "files": {name: digest_of_file(out / name) for name in sorted([*rows, "README.md"])},
        "about": snapshot.manifest,
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True)
    (out / "manifest.json").write_text(f"{text}\n", encoding="utf-8")
    return manifest


def _write_rows(snapshot: Snapshot, format: Format, out: Path) -> dict[str, int]:
    """Rows by file name."""
    if format.rows is None:
        shutil.copyfile(snapshot.file, out / snapshot.file.name)
        return {snapshot.file.name: snapshot.rows}
    records = read_records(snapshot.file, RECORDS[snapshot.kind])  # type: ignore[type-var]  # one of the three
    return {
        f"{split}.jsonl": _write_lines(
            out / f"{split}.jsonl",
            (row for record in records if record.split == split for row in format.rows(record)),
        )
        for split in SPLITS
    }


def _write_lines(path: Path, rows: Iterable[Row]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def _fitting(snapshot: Snapshot, format: str) -> str:
    return _("A snapshot of %(kind)s cannot be written as %(format)s; use %(formats)s.") % {
        "kind": snapshot.get_kind_display(),
        "format": format,
        "formats": _(" or ").join(formats_for(snapshot.kind)),
    }
