"""The README of an export, as Hugging Face datasets have it."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from trainer.models import Snapshot

if TYPE_CHECKING:
    from trainer.exports.formats import Format


def dataset_card(snapshot: Snapshot, format: "Format", container: str, rows: dict[str, int]) -> str:
    """Markdown with the metadata block that the dataset viewer and ``load_dataset`` read."""
    about = snapshot.manifest
    files = "\n".join(f"| `{name}` | {count} |" for name, count in rows.items())
    return f"""---
{_metadata(format, container, rows, about)}---

# {about["campaign"]}: {snapshot.kind}

{format.about}

| file | rows |
|---|---|
{files}

- Snapshot sha256: `{snapshot.digest}`
- Licence: {about.get("license") or "none stated"}
- Rows of the snapshot by split: {_listed(about["rows"])}
- Prompts: {about["prompts"]}, by kind: {_listed(about["prompts_by_kind"])}
- Languages: {_listed(about["prompts_by_language"])}
- Taken: {about.get("taken", about["filters"])}
- Filters: {_filters(about)}
- Synthetic: {_synthetic(about.get("synthetic", {}))}
{_people(about)}
How a conversation opens decides whether its prompts are held out ({about["held_out_percent"]} in 100 are): a
prompt is held out in every snapshot of this campaign, and all branches of a tree are on the same side.
Labelers are pseudonyms: they differ from snapshot to snapshot, and nobody can compute them without a key that
does not leave the server. `manifest.json` has the sha256 of each file.
"""


def _metadata(format: "Format", container: str, rows: Mapping[str, int], about: Mapping[str, Any]) -> str:
    configs = f"configs:\n- config_name: default\n  data_files:\n{_data_files(rows)}\n"
    license = f"license: {json.dumps(about['license'].lower())}\n" if about.get("license") else ""
    if format.schema is None or format.schema.names == ["message_tree_id", "tree_state", "prompt"]:
        return configs + license
    features = [_feature(field, is_cell=container == "csv") for field in format.schema]
    # JSON is YAML too.
    return configs + license + f"dataset_info: {json.dumps({'features': features})}\n"


def _data_files(rows: Mapping[str, int]) -> str:
    by_split: dict[str, list[str]] = {}
    for name, count in rows.items():
        if count:
            by_split.setdefault(_split_of(name), []).append(name)
    return "\n".join(
        f"  - split: {split}\n    path: {json.dumps(names)}" for split, names in by_split.items()
    )


def _split_of(name: str) -> str:
    return "held_out" if name.startswith("held_out") else "train"


def _feature(field: pa.Field, *, is_cell: bool) -> dict[str, Any]:
    """The column as ``datasets`` describes it; a cell of CSV holds what is nested as JSON."""
    kind = pa.string() if is_cell and pa.types.is_nested(field.type) else field.type
    return {"name": field.name, **_described(kind)}


def _described(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_list(kind):
        inner = _described(kind.value_type)
        return {"list": inner.get("dtype") or inner.get("struct") or inner}
    if pa.types.is_struct(kind):
        return {"struct": [_feature(field, is_cell=False) for field in kind]}
    return {"dtype": {"double": "float64"}.get(str(kind), str(kind))}


def _people(about: Mapping[str, Any]) -> str:
    if "labelers" not in about:
        return ""
    if "sources" in about:
        return (
            f"- People: {about['labelers']}, who chatted with a model and allowed training\n"
            f"- Sources: {_listed(about['sources'])}; answers: {_listed(about['labels'])}\n"
            f"- Tombstones: {_tombstones(about.get('tombstones', {}))}\n"
        )
    lines = [
        f"- Labelers: {about['labelers']}, guideline versions: {_listed(about['guideline_versions'])}",
        f"- Consent: {_consent(about.get('consent_versions', {}))}",
    ]
    if "purposes" in about:
        lines.append(
            f"- Purposes: {_listed(about['purposes'])}; {about['replaced']} rankings give way to a "
            "reviewer's order of the same answers (weight 0)"
        )
    if "suggested" in about:
        lines.append(f"- Suggestions: the authors of {about['suggested']} demonstrations were shown one")
    lines.append(f"- Tombstones: {_tombstones(about.get('tombstones', {}))}")
    return "\n".join(lines) + "\n"


def _consent(versions: Mapping[str, int]) -> str:
    """The text's version that the makers of so many rows had agreed to."""
    told = [
        f"version {version} of the campaign's text for {count} rows"
        if int(version)
        else f"none recorded for {count} rows"
        for version, count in sorted(versions.items())
    ]
    return ", ".join(told) or "none recorded"


def _tombstones(stones: Mapping[str, list[int]]) -> str:
    """Contributions that are gone, or tied to nobody; whoever holds an older copy should let go of them."""
    counts = ", ".join(f"{len(numbers)} {mode}" for mode, numbers in sorted(stones.items()))
    return f"{counts}; their numbers are in `manifest.json`" if counts else "none"


def _filters(about: Mapping[str, Any]) -> str:
    filters = about["filters"]
    if not isinstance(filters, Mapping) or not filters:
        return "none"
    told = [f"{name} {json.dumps(value, ensure_ascii=False)}" for name, value in sorted(filters.items())]
    return ", ".join(told)


def _synthetic(counts: Mapping[str, int]) -> str:
    """What models made up instead of people."""
    told = {"prompt": "prompts of {} rows", "turns": "dialogues of {} rows", "order": "orders of {} rows"}
    listed = [told[part].format(count) for part, count in sorted(counts.items())]
    return f"made up by models, not by people: the {', the '.join(listed)}" if listed else "nothing"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name or 'unnamed'} {count}" for name, count in sorted(counts.items())) or "none"
