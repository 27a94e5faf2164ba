"""A folder that other tools read: the data, a card that explains it, and a manifest that proves it."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from trainer.errors import FormatDoesNotFit, SnapshotFileMissing
from trainer.exports.card import dataset_card
from trainer.exports.containers import CONTAINERS, Write
from trainer.exports.formats import FORMATS, formats_for
from trainer.handoff.records import (
    RECORDS,
    PromptRecord,
    RankingRecord,
    Record,
    rows_by_group,
    stream_records,
)
from trainer.handoff.rundir import digest_of_file
from trainer.models import Snapshot
from trainer.pseudonyms import rater

SPLITS = ["train", "held_out"]
ROWS_IN_SHARD = 50_000
"""Of the snapshot: a shard's files end with the row group in which it has so many."""
MANIFEST, CARD = "manifest.json", "README.md"

Watch = Callable[[int], None]
"""Called with the rows of the shard that were read so far; whatever it raises ends the writing."""
ROWS_BETWEEN_LOOKS = 1_000


@dataclass(frozen=True, kw_only=True)
class File:
    name: str
    rows: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is written, and how."""

    snapshot: Snapshot
    format: str
    container: str

    @cached_property
    def shards(self) -> list[list[int]]:
        """The snapshot's row groups, shard by shard."""
        if FORMATS[self.format].rows is None:
            return [list(range(len(self._sizes)))]
        shards: list[list[int]] = [[]]
        for group in range(len(self._sizes)):
            if self._rows(shards[-1]) >= ROWS_IN_SHARD:
                shards.append([])
            shards[-1].append(group)
        return shards

    def rows_in(self, shard: int) -> int:
        """Of the snapshot."""
        return self._rows(self.shards[shard])

    def _rows(self, groups: Sequence[int]) -> int:
        return sum(self._sizes[group] for group in groups)

    @cached_property
    def _sizes(self) -> list[int]:
        return rows_by_group(self.snapshot.file)

    @property
    def rater_seed(self) -> str:
        """A rater has the same name in every export of a snapshot, and other names in those of others."""
        return self.snapshot.digest


def plan_export(snapshot: Snapshot, format: str, container: str = "") -> Plan:
    """:raises FormatDoesNotFit: the format is not known, or holds another kind of rows, or not in this
        container.
    :raises SnapshotFileMissing: the snapshot's file is gone.
    """
    if format not in formats_for(snapshot.kind):
        raise FormatDoesNotFit(_fitting(snapshot, format))
    containers = FORMATS[format].containers
    container = container or containers[0]
    if container not in containers:
        told = {"format": format, "container": container, "containers": _(" or ").join(containers)}
        raise FormatDoesNotFit(_("%(format)s cannot be written as %(container)s; use %(containers)s.") % told)
    if not snapshot.file.exists():
        raise SnapshotFileMissing(_("The file of snapshot %(id)d is gone.") % {"id": snapshot.pk})
    return Plan(snapshot=snapshot, format=format, container=container)


def export_snapshot(snapshot: Snapshot, format: str, out: Path, container: str = "") -> dict[str, Any]:
    """Write the snapshot into the folder ``out`` and return its manifest; the same one, the same bytes.

    :raises FormatDoesNotFit: the format is not known, or holds another kind of rows, or not in this
        container.
    :raises SnapshotFileMissing: the snapshot's file is gone.
    """
    plan = plan_export(snapshot, format, container)
    out.mkdir(parents=True, exist_ok=True)
    (out / MANIFEST).unlink(missing_ok=True)
    files: list[File] = []
    for number in range(len(plan.shards)):
        files += write_shard(plan, number, out)
    return finish_folder(plan, files, out)


def write_shard(plan: Plan, number: int, out: Path, watch: Watch = lambda rows: None) -> list[File]:
    """One part of the snapshot as a file per split; they appear in ``out`` once they are whole."""
    with tempfile.TemporaryDirectory(prefix="writing-", dir=out) as folder:
        rows = _write(plan, number, Path(folder), watch)
        files = [
            File(name=name, rows=count, sha256=digest_of_file(Path(folder) / name))
            for name, count in rows.items()
        ]
        for file in files:
            os.replace(Path(folder) / file.name, out / file.name)
    return files


def finish_folder(plan: Plan, files: Sequence[File], out: Path) -> dict[str, Any]:
    """Write the card and, when all else is there, the manifest. Returns it."""
    rows = {file.name: file.rows for file in files}
    card = dataset_card(plan.snapshot, FORMATS[plan.format], plan.container, rows)
    (out / CARD).write_text(card, encoding="utf-8")
    digests = {file.name: file.sha256 for file in files} | {CARD: digest_of_file(out / CARD)}
    manifest = {
        "snapshot": plan.snapshot.digest,
        "kind": plan.snapshot.kind,
        "format": plan.format,
        "container": plan.container,
        "rater_seed": plan.rater_seed,
        "rows": rows,
        "files": dict(sorted(digests.items())),
        "about": plan.snapshot.manifest,
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True)
    (out / MANIFEST).write_text(f"{text}\n", encoding="utf-8")
    return manifest


def as_rows(files: Iterable[File]) -> list[dict[str, Any]]:
    return [asdict(file) for file in files]


def _write(plan: Plan, number: int, folder: Path, watch: Watch) -> dict[str, int]:
    """Rows by file name."""
    snapshot, format = plan.snapshot, FORMATS[plan.format]
    if format.rows is None:
        shutil.copyfile(snapshot.file, folder / snapshot.file.name)
        watch(snapshot.rows)
        return {snapshot.file.name: snapshot.rows}
    names = {split: _name(split, number, plan.container) for split in SPLITS}
    rows = dict.fromkeys(names.values(), 0)
    with ExitStack() as stack:
        open_file = CONTAINERS[plan.container]
        write: dict[str, Write] = {
            split: stack.enter_context(open_file(folder / name, format.schema))
            for split, name in names.items()
        }
        for together in _together(_records(plan, plan.shards[number], watch)):
            split = together[0].split
            made = list(format.rows(together))
            write[split](made)
            rows[names[split]] += len(made)
    # The first file of a split is there even if it is empty, later ones only if they are needed.
    return {name: count for name, count in rows.items() if count or number == 0}


def _name(split: str, number: int, container: str) -> str:
    return f"{split}-{number:05}.{container}" if number else f"{split}.{container}"


def _records(plan: Plan, row_groups: Sequence[int], watch: Watch) -> Iterator[Record]:
    known: dict[str, str] = {}
    record = RECORDS[plan.snapshot.kind]
    file = plan.snapshot.file
    for count, row in enumerate(stream_records(file, record, row_groups), start=1):  # type: ignore[type-var]
        if FORMATS[plan.format].names_raters and not isinstance(row, PromptRecord):
            name = known.get(row.labeler) or rater(plan.rater_seed, row.labeler)
            known[row.labeler] = name
            yield replace(row, labeler=name)
        else:
            yield row
        if count % ROWS_BETWEEN_LOOKS == 0:
            watch(count)


def _together(records: Iterable[Record]) -> Iterator[list[Any]]:
    """Rankings of one candidate set are one; everything else is by itself."""
    places = ((_key(record, place), record) for place, record in enumerate(records))
    for _set, some in groupby(places, key=lambda pair: pair[0]):
        yield [record for _key, record in some]


def _key(record: Record, place: int) -> int:
    return record.candidate_set_id if isinstance(record, RankingRecord) else place


def _fitting(snapshot: Snapshot, format: str) -> str:
    return _("A snapshot of %(kind)s cannot be written as %(format)s; use %(formats)s.") % {
        "kind": snapshot.get_kind_display(),
        "format": format,
        "formats": _(" or ").join(formats_for(snapshot.kind)),
    }
