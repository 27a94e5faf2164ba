"""How ``annotation/sample/candidates.jsonl`` was made, and is made again."""

import json
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from annotation.actions.sample import SAMPLE
from trainer.handoff.configs import SampleConfig
from trainer.handoff.records import PromptRecord, write_records
from trainer.handoff.rundir import RunDirectory, RunSpec, digest_of_folder

# Left alone, the base model writes half a page to every question.
SYSTEM = "Answer briefly and to the point, in two or three sentences."
CONFIG = SampleConfig(completions_per_prompt=4, temperature=0.6, max_new_tokens=200, seed=0)


class Command(BaseCommand):
    help = "Sample the candidates of the sample campaign from the base model (minutes)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--base", default="SmolLM2-135M-Instruct")
        parser.add_argument("--prompts", type=int, default=120, help="so many, from the top of the file")
        parser.add_argument("--out", type=Path, default=SAMPLE / "candidates.jsonl")

    def handle(self, *args: Any, base: str, prompts: int, out: Path, **options: Any) -> None:
        lines = (SAMPLE / "prompts.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines[:prompts]]
        with tempfile.TemporaryDirectory() as folder:
            directory = _run_directory(Path(folder), rows, base)
            lab = [sys.executable, "-m", "trainer.rlhf", str(directory.path)]
            if subprocess.run(lab, cwd=settings.ROOT).returncode:
                raise CommandError("Sampling failed; the reason is above.")
            answers = defaultdict(list)
            for sample in directory.read_samples():
                answers[rows[sample["prompt_id"]]["id"]].append(sample["completion"])
        settings_used = {"base_model": base, "system": SYSTEM, **asdict(CONFIG)}
        found = [
            {"prompt": row["id"], "completions": answers[row["id"]]}
            for row in rows
            if _can_be_ranked(answers[row["id"]])
        ]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in [settings_used, *found])
        out.write_text(text, encoding="utf-8")
        self.stdout.write(f"{len(found)} candidate sets in {out}")


def _run_directory(folder: Path, rows: list[dict[str, Any]], base: str) -> RunDirectory:
    location = Path(settings.BASE_MODELS.get(base, base))
    records = [
        PromptRecord(
            prompt_id=number,
            digest="",
            split="train",
            kind=row["kind"],
            language=row["language"],
            messages=[{"role": "system", "content": SYSTEM}, *row["messages"]],
        )
        for number, row in enumerate(rows)
    ]
    write_records(folder / "prompts.parquet", PromptRecord, records)
    spec = RunSpec(
        kind="sample",
        config=asdict(CONFIG),
        base_model=str(location),
        base_digest=digest_of_folder(location),
        snapshot_digest="",
        code_version="",
    )
    return RunDirectory.create(folder / "run", spec, {"prompts.parquet": folder / "prompts.parquet"})


def _can_be_ranked(texts: list[str]) -> bool:
    return all(texts) and len(set(texts)) == len(texts)
