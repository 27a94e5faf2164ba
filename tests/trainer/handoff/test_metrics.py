import re
from pathlib import Path

from trainer.handoff.metrics import METRICS

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"


def test_every_metric_is_documented_and_nothing_else():
    documented = re.findall(r"^\| `(\w+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)

    assert documented == list(METRICS)
