"""What a smaller student of SmolLM2-135M costs and gains: two thirds of the layers, taught by the original on
people's words (those that ``compression`` does not hold out), and stored in 8 bits afterwards.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.flywheel.compression import (
    MODEL,
    carried_out,
    compared,
    demonstrations,
    measured_speeds,
    quantized,
)
from trainer.handoff.records import DemonstrationRecord, write_records

SETTINGS = {"layers": 20, "epochs": 3, "teacher_weight": 0.7, "learning_rate": 1e-4}


def figures(repeats: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "demonstrations.parquet"
        write_records(data, DemonstrationRecord, demonstrations())
        student = carried_out("distill", MODEL, Path(folder) / "student", data, **SETTINGS)
        stored = quantized("int8", Path(folder), data, base=student.result_path)
        first, then = compared(student), compared(stored)
        speeds = measured_speeds({"student": stored.result_path}, repeats)
    plain = max(speeds["bfloat16"], speeds["float32"])
    # Each run tells its result beside what it was made from.
    yield Figure("student_size_ratio", first["size_mb"] * then["size_mb"], "of the original")
    yield Figure("student_score_ratio", first["token_accuracy"] * then["token_accuracy"], "of the original")
    yield Figure("student_perplexity_ratio", first["perplexity"] * then["perplexity"], "of the original")
    yield Figure("student_speed_ratio", speeds["student"] / plain, "times")
