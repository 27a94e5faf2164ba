"""Do TRL's trainers read what we write? ``python -m benchmarks trl_reads[.TRAINER]``.

A small snapshot is written for each of TRL's SFT, reward, DPO and KTO trainers, and in its own environment
the trainer opens the folder with ``load_dataset`` and takes two steps on it with a tiny model.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from benchmarks.figures import ROOT, Figure
from benchmarks.peers import peer_python
from config.bootstrap import VAR

SCRATCH = VAR / "benchmarks" / "trl_reads"
OFFLINE = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "CUDA_VISIBLE_DEVICES": ""}

READS = {
    "sft": (("trl-messages", "demonstrations"), ("trl-prompt-completion", "demonstrations")),
    "reward": (("trl-preference", "rankings"), ("trl-implicit-preference", "rankings")),
    "dpo": (("trl-preference", "rankings"), ("trl-implicit-preference", "rankings")),
    "kto": (("trl-unpaired", "rankings"),),
}
"""The formats that each trainer is given, and the kind of snapshot behind them."""
CONTAINERS = ("jsonl", "jsonl.gz", "parquet")
DISHES = ("soup", "rice", "tea", "bread", "stew", "salad", "pie", "jam")


def measure(part: str, repeats: int) -> Iterator[Figure]:
    """For each trainer the folders that it took two steps on; one that it cannot read ends this."""
    python = peer_python("trl")
    shutil.rmtree(SCRATCH, ignore_errors=True)
    files = _snapshots(SCRATCH / "snapshots")
    for trainer in (part,) if part else READS:
        folders = [
            _write(files[kind], kind, format, container)
            for format, kind in READS[trainer]
            for container in CONTAINERS
        ]
        _two_steps(python, trainer, folders)
        yield Figure(f"trl_reads_{trainer}", len(folders), "folders")


def facts() -> dict[str, object]:
    return {"steps": 2, "containers": list(CONTAINERS)}


def _two_steps(python: Path, trainer: str, folders: list[Path]) -> None:
    command = [str(python), "-m", "benchmarks.trl_reads_side", trainer, *map(str, folders)]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, **OFFLINE})


def _write(file: Path, kind: str, format: str, container: str) -> Path:
    """The export of a snapshot that no database knows of: all that a writer reads of it is here."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from trainer.exports import export_snapshot
    from trainer.models import Snapshot

    about: dict[str, Any] = {
        "campaign": "Kitchen",
        "rows": {"train": len(DISHES)},
        "prompts": len(DISHES),
        "prompts_by_kind": {},
        "prompts_by_language": {},
        "taken": "all",
        "filters": {},
        "held_out_percent": 0,
    }
    snapshot = SimpleNamespace(
        pk=1, digest="0" * 64, kind=kind, file=file, rows=len(DISHES), manifest=about, get_kind_display=str
    )
    out = SCRATCH / "exports" / f"{format}-{container}"
    export_snapshot(cast(Snapshot, snapshot), format, out, container)
    return out


def _snapshots(folder: Path) -> dict[str, Path]:
    from trainer.handoff.records import DemonstrationRecord, RankingRecord, write_records

    folder.mkdir(parents=True)
    rankings, demonstrations = folder / "rankings.parquet", folder / "demonstrations.parquet"
    write_records(rankings, RankingRecord, [RankingRecord(**_ranking(*one)) for one in enumerate(DISHES)])
    write_records(
        demonstrations,
        DemonstrationRecord,
        [DemonstrationRecord(**_demonstration(*one)) for one in enumerate(DISHES)],
    )
    return {"rankings": rankings, "demonstrations": demonstrations}


def _ranking(number: int, dish: str) -> dict[str, Any]:
    return {
        **_common(number, dish),
        "ranking_id": number + 1,
        "candidate_set_id": number + 1,
        "completions": [{"id": place, "text": text} for place, text in enumerate(("Boil.", "Fry.", "No."))],
        "tiers": [[0], [1]],
        "unacceptable": [2],
        "seconds_spent": 1.0,
    }


def _demonstration(number: int, dish: str) -> dict[str, Any]:
    turns = [("assistant", "For how many?"), ("user", "Two."), ("assistant", "Then one pot is enough.")]
    return {
        **_common(number, dish),
        "demonstration_id": number + 1,
        "turns": [{"role": role, "content": content} for role, content in turns],
    }


def _common(number: int, dish: str) -> dict[str, Any]:
    return {
        "prompt_id": number + 1,
        "prompt_digest": json.dumps(dish),
        "split": "train",
        "messages": [{"role": "user", "content": f"How do I make {dish}?"}],
        "labeler": "ada",
        "guideline_version": 1,
        "submitted_at": "2026-11-24T12:00:00+00:00",
    }
