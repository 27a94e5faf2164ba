"""What quantizing SmolLM2-135M costs and gains: size against the file it is stored in (bfloat16), what of
people's own words it still predicts, and tokens a second of one answer at a time.

The words are answers of the Open Assistant data in the folder that RANKWRIGHT_DEVELOPMENT_DATA names; of its
English trees the first 24 are held out. Speed is measured against bfloat16 and
float32, whichever is faster here, all in turn within one process.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import ROOT, Figure
from trainer.handoff.records import DemonstrationRecord, write_records
from trainer.handoff.rundir import RunDirectory, RunSpec, digest_of_folder

MODEL = ROOT / "var" / "models" / "smollm2-135m-instruct"
SCHEMES = ("int4", "int8", "int8_dynamic")
HELD_OUT, LEARNED = 24, 64
TOKENS = 32
MOST_CHARACTERS = 1200


def figures(repeats: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "demonstrations.parquet"
        write_records(data, DemonstrationRecord, demonstrations())
        made = {scheme: quantized(scheme, Path(folder), data) for scheme in SCHEMES}
        told = {scheme: compared(directory) for scheme, directory in made.items()}
        speeds = measured_speeds({scheme: one.result_path for scheme, one in made.items()}, repeats)
    plain = max(speeds.pop("bfloat16"), speeds.pop("float32"))
    for scheme, figures in told.items():
        yield Figure(f"compressed_{scheme}_size_ratio", figures["size_mb"], "of the original")
        yield Figure(f"compressed_{scheme}_score_ratio", figures["token_accuracy"], "of the original")
        yield Figure(f"compressed_{scheme}_perplexity_ratio", figures["perplexity"], "of the original")
        yield Figure(f"compressed_{scheme}_speed_ratio", speeds[scheme] / plain, "times")
    yield Figure("compressed_size_ratio", told["int4"]["size_mb"], "of the original")
    yield Figure("compressed_score_ratio", told["int4"]["token_accuracy"], "of the original")
    yield Figure("compressed_speed_ratio", max(speeds.values()) / plain, "times")


def demonstrations() -> list[DemonstrationRecord]:
    """A tree's answers are all held out, or none of them is."""
    return [
        DemonstrationRecord(
            demonstration_id=1000 * number + place,
            prompt_id=number,
            prompt_digest=f"{number:064x}",
            split="held_out" if number < HELD_OUT else "train",
            messages=[{"role": "user", "content": prompt["text"]}],
            turns=[{"role": "assistant", "content": answer["text"]}],
            labeler="open-assistant",
            guideline_version=1,
            submitted_at="2023-04-12T00:00:00Z",
        )
        for number, prompt in enumerate(_prompts())
        for place, answer in enumerate(prompt["replies"][:3])
    ]


def _prompts() -> list[dict[str, Any]]:
    folder = os.environ.get("RANKWRIGHT_DEVELOPMENT_DATA")
    if not folder:
        raise SystemExit("RANKWRIGHT_DEVELOPMENT_DATA must name a folder with oasst_trees_dev.jsonl.")
    lines = (Path(folder) / "oasst_trees_dev.jsonl").read_text(encoding="utf-8").splitlines()
    prompts = [json.loads(line)["prompt"] for line in lines]
    return [prompt for prompt in prompts if prompt["lang"] == "en" and len(prompt["text"]) <= MOST_CHARACTERS]


def quantized(scheme: str, folder: Path, data: Path, base: Path = MODEL) -> RunDirectory:
    place = folder / f"{base.parent.name}-{scheme}"
    return carried_out("quantize", base, place, data, scheme=scheme, calibration=LEARNED)


def carried_out(kind: str, base: Path, place: Path, data: Path, **settings: Any) -> RunDirectory:
    """The run, carried out as a worker does."""
    spec = RunSpec(
        kind=kind,
        config={"measured_tokens": TOKENS, "max_completion_tokens": 256, **settings},
        base_model=str(base),
        base_digest=digest_of_folder(base),
        snapshot_digest="0" * 64,
        code_version="benchmark",
    )
    directory = RunDirectory.create(place, spec, {data.name: data})
    subprocess.run([sys.executable, "-m", "trainer.rlhf", str(directory.path)], check=True, cwd=ROOT)  # noqa: S603  # ours
    return directory


def compared(directory: RunDirectory) -> dict[str, float]:
    outcome = directory.outcome()
    assert outcome is not None
    return {row["name"]: row["ratio"] for row in outcome.summary["compared"]}


def measured_speeds(folders: dict[str, Path], repeats: int) -> dict[str, float]:
    """Tokens a second by scheme, and of the original by its type of numbers."""
    import torch

    from trainer.rlhf.compress.report import speeds
    from trainer.rlhf.loading import load_model
    from trainer.rlhf.modeling import Backbone, Role

    models = {
        "bfloat16": load_model(str(MODEL), torch.bfloat16),
        "float32": load_model(str(MODEL), torch.float32),
        **{scheme: load_model(str(folder), torch.bfloat16) for scheme, folder in folders.items()},
    }
    roles = [Role(Backbone(model, lora_rank=0, lora_layers=0), None) for model in models.values()]
    return dict(zip(models, speeds(roles, TOKENS, repeats), strict=True))
