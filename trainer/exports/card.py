"""The README of an export, as Hugging Face datasets have it."""

from trainer.models import Snapshot

COLUMNS = {
    "trl-preference": (
        "`prompt`, `chosen` and `rejected` are lists of messages with `role` and `content`: the "
        "conversational preference format of TRL. There is one row per comparison that a ranking implies; "
        "ties, and pairs of answers that are both unacceptable, give none."
    ),
    "trl-prompt-completion": (
        "`prompt` and `completion` are lists of messages with `role` and `content`: the conversational "
        "prompt-completion format of TRL. There is one row per assistant turn of a demonstration."
    ),
    "native": (
        "One Parquet file with every row of the snapshot as Rankwright's own stages read it; the column "
        "`split` says whether a row may be trained on."
    ),
}


def dataset_card(snapshot: Snapshot, format: str, rows: dict[str, int]) -> str:
    """Markdown with the metadata block that the dataset viewer reads."""
    about = snapshot.manifest
    files = "\n".join(f"| `{name}` | {count} |" for name, count in rows.items())
    return f"""---
configs:
- config_name: default
  data_files:
{_data_files(rows)}
---

# {about["campaign"]}: {snapshot.kind}

{COLUMNS[format]}

| file | rows |
|---|---|
{files}

- Snapshot sha256: `{snapshot.digest}`
- Rows of the snapshot by split: {_listed(about["rows"])}
- Prompts: {about["prompts"]}, by kind: {_listed(about["prompts_by_kind"])}
- Languages: {_listed(about["prompts_by_language"])}
- Taken: {about["filters"]}
{_people(about)}
How a conversation opens decides whether its prompts are held out ({about["held_out_percent"]} in 100 are): a
prompt is held out in every snapshot of this campaign, and all branches of a tree are on the same side.
Labelers are pseudonyms. `manifest.json` has the sha256 of each file.
"""


def _data_files(rows: dict[str, int]) -> str:
    splits = {name: name.removesuffix(".jsonl") if name.endswith(".jsonl") else "train" for name in rows}
    return "\n".join(f"  - split: {split}\n    path: {name}" for name, split in splits.items())


def _people(about: dict[str, dict[str, int]]) -> str:
    if "labelers" not in about:
        return ""
    versions = _listed(about["guideline_versions"])
    return f"- Labelers: {about['labelers']}, guideline versions: {versions}\n"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name or 'unnamed'} {count}" for name, count in counts.items()) or "none"
