"""What a run's page shows. What changes while it runs is brought up to date by the front end's run-page."""

from collections.abc import Iterator
from typing import Any

from django.contrib.staticfiles import finders
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.models import Person
from trainer.actions.resuming import may_resume
from trainer.admin.base import Facts
from trainer.admin.costs import MINUTE
from trainer.admin.figures import compared, in_words
from trainer.admin.health import health_of
from trainer.admin.links import clone_url, link_to
from trainer.admin.run_logs import logs_of
from trainer.admin.run_samples import said_by
from trainer.advice import advice_for
from trainer.handoff.configs import explain
from trainer.handoff.metrics import METRICS
from trainer.models import Run
from trainer.models.history import FAILURES

SCRIPT = "app/admin/run-page.js"
SHOWN_EVENTS = 50
ENDINGS = dict(FAILURES)
TELLING = [
    "score",
    "holdout_score",
    "ref_kl",
    "loss",
    "held_out_loss",
    "accuracy",
    "held_out_accuracy",
    "mean_length",
    "entropy",
]
"""The metrics that a researcher looks at first."""
COLORS = {
    "QUEUED": "default",
    "RUNNING": "info",
    "SUCCEEDED": "success",
    "FAILED": "danger",
    "CANCELLED": "warning",
}


def run_page(run: Run) -> dict[str, Any]:
    settings = list(_settings(run))
    return {
        "run": run,
        "color": COLORS.get(run.status, ""),
        "state": format_html('<span data-run="status">{}</span>', run.get_status_display()),
        "live": _live(run),
        # Without the built front end the page comes anew by itself.
        "is_live": finders.find(SCRIPT) is not None,
        "health": health_of(run),
        "facts": _facts(run),
        "inputs": _inputs(run),
        "figures": in_words(run.summary),
        "compared": compared(run.summary),
        "changed": [setting for setting in settings if setting["is_changed"]],
        "settings": settings,
        "said": said_by(run),
        "advice": advice_for(run.failure_class),
        "story": _story(run),
        "logs": logs_of(run),
        "may_resume": may_resume(run),
        "clone_url": clone_url(run),
        "compare_url": f"{reverse('admin:trainer_run_compare')}?run={run.pk}",
    }


def _live(run: Run) -> dict[str, Any]:
    return {
        "url": reverse("run-live", args=[run.pk]),
        "status": run.status,
        "labels": {value: str(label) for value, label in Run.Status.choices},
        "notes": {name: _(METRICS[name]) for name in sorted(METRICS, key=_place)},
    }


def _place(metric: str) -> int:
    return TELLING.index(metric) if metric in TELLING else len(TELLING)


def _facts(run: Run) -> Facts:
    worker = {"worker": run.worker, "attempt": run.attempt}
    return [
        (_("Campaign"), run.campaign),
        (_("Asked for by"), run.created_by or "–"),
        (_("Asked for at"), run.created_at),
        (_("Started"), run.started_at or "–"),
        (_("Took"), _took(run)),
        (_("Devices"), _places(run)),
        (_("Worker"), _("%(worker)s, attempt %(attempt)d") % worker if run.worker else "–"),
    ]


def _took(run: Run) -> str:
    if not (run.started_at and run.finished_at):
        return "–"
    if run.finished_at - run.started_at < MINUTE:
        return _("less than a minute")
    return timesince(run.started_at, run.finished_at)


def _places(run: Run) -> str:
    """How much of how many machines, and who helps."""
    each = ngettext("%(count)d device", "%(count)d devices", run.devices) % {"count": run.devices}
    told = each if run.devices else _("all that the node has")
    if run.nodes == 1:
        return told
    helpers = run.members.filter(attempt=run.attempt).order_by("rank").values_list("worker", flat=True)
    words = _("%(count)d nodes, of each: %(devices)s") % {"count": run.nodes, "devices": told}
    return " · ".join([words, *helpers])


def _inputs(run: Run) -> Facts:
    """What it builds on; a run before it stands in for what that will have made."""
    inputs: Facts = [
        (_("Snapshot"), link_to(run.snapshot)),
        (_("Starts from"), link_to(run.given("base") or run.base_run)),
    ]
    if reward := run.given("reward") or run.reward_run:
        inputs.append((_("Reward model"), link_to(reward)))
    if made := run.synthetic_rows.count():
        page = reverse("admin:trainer_syntheticrow_changelist", query={"run__id__exact": run.pk})
        words = _("%(count)d rows, marked as synthetic") % {"count": made}
        inputs.append((_("Made up"), format_html('<a href="{}" class="text-link">{}</a>', page, words)))
    if run.holdout:
        inputs.append((_("Hold-out reward model"), link_to(run.holdout)))
    return [*inputs, (_("Result"), link_to(run.result))] if run.makes_weights else inputs


def _settings(run: Run) -> Iterator[dict[str, Any]]:
    for name, (default, note) in explain(run.kind).items():
        value = run.config.get(name, default)
        yield {
            "name": name,
            "value": value,
            "default": default,
            "note": _(note).replace("``", ""),
            "is_changed": value != default,
        }


def _story(run: Run) -> list[dict[str, Any]]:
    """What happened to it, newest first; who did it, and why."""
    return [
        {
            "at": event.at,
            "what": event.get_kind_display(),
            "by": _by(event.actor),
            "attempt": event.data.get("attempt"),
            "step": event.data.get("step"),
            "ending": ENDINGS.get(event.data.get("ending"), ""),
            "reason": event.data.get("reason") or ", ".join(event.data.get("spoilt", [])),
        }
        for event in run.events.order_by("-seq")[:SHOWN_EVENTS]
    ]


def _by(actor: str) -> str:
    """Events name people by their number."""
    kind, _colon, number = actor.partition(":")
    if kind == "person" and number.isdecimal():
        return str(Person.objects.filter(pk=number).first() or "–")
    return {"sweep": _("the sweep"), "command": _("a command")}.get(actor, actor)
