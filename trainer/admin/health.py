"""How a run is, in words: the hatch's checks over the metrics that have come in so far."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from trainer.handoff.health import ALARM, CHECKS_BY_NAME, HEALTHY, WATCH, Finding, judge
from trainer.models import Run

VERDICTS = {
    HEALTHY: gettext_lazy("Healthy"),
    WATCH: gettext_lazy("Worth a look"),
    ALARM: gettext_lazy("Needs attention"),
}
COLORS = {HEALTHY: "success", WATCH: "warning", ALARM: "danger"}


def health_of(run: Run) -> dict[str, Any] | None:
    """The verdict on the current attempt, with its reasons; None while there is nothing to judge by."""
    lines = run.metrics.filter(attempt=run.attempt).order_by("line").values_list("values", flat=True)
    judged = judge(run.kind, list(lines), run.config)
    if not judged.checked:
        return None
    count = len(judged.checked)
    looked = ngettext(
        "%(count)d check had enough to look at.", "%(count)d checks had enough to look at.", count
    )
    return {
        "verdict": judged.verdict,
        "label": VERDICTS[judged.verdict],
        "color": COLORS[judged.verdict],
        "looked": looked % {"count": count},
        "findings": [_in_words(finding) for finding in judged.findings],
    }


def _in_words(finding: Finding) -> dict[str, Any]:
    check = CHECKS_BY_NAME[finding.check]
    return {
        "check": finding.check,
        "is_alarm": finding.level == ALARM,
        "seen": _(check.seen) % finding.numbers,
        "change": _(check.change),
    }
