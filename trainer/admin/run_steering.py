"""What a researcher does with a run that is there: look at it beside others, cancel, resume or clone it."""

from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from annotation.errors import Refusal
from trainer.actions.costs import cost_of_rehearsal
from trainer.actions.resuming import resume_run
from trainer.actions.runs import cancel_run
from trainer.admin.base import ResearcherAdmin
from trainer.admin.costs import shown_cost
from trainer.admin.links import url_of
from trainer.admin.run_comparison import chosen, comparison
from trainer.admin.run_logs import log_of
from trainer.models import Rehearsal, Run

OTHERS = 100
"""Runs that are offered to stand beside the others."""


class RunSteering(ResearcherAdmin):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:run_id>/cancel/", view(require_POST(self.cancel)), name="trainer_run_cancel"),
            path("<int:run_id>/resume/", view(require_POST(self.resume)), name="trainer_run_resume"),
            path("<int:run_id>/log/<int:attempt>/", view(self.log), name="trainer_run_log"),
            path("check/<int:rehearsal_id>/", view(self.look_again), name="trainer_run_check"),
            path("compare/", view(self.compare), name="trainer_run_compare"),
            *super().get_urls(),
        ]

    @admin.action(description=gettext_lazy("Compare the chosen runs"), permissions=["view"])
    def compare_chosen(self, request: HttpRequest, rows: QuerySet[Run]) -> HttpResponse:
        query = urlencode([("run", row.pk) for row in rows.order_by("pk")])
        return HttpResponseRedirect(f"{reverse('admin:trainer_run_compare')}?{query}")

    def look_again(self, request: HttpRequest, rehearsal_id: int) -> HttpResponse:
        """What is known by now of a run that somebody thinks of; the start form's page asks for it."""
        self.check_researcher(request)
        asked = get_object_or_404(Rehearsal, pk=rehearsal_id)
        check = shown_cost(cost_of_rehearsal(asked), now=timezone.now())
        return render(request, "admin/trainer/run/check.html", {"check": check})

    def compare(self, request: HttpRequest) -> HttpResponse:
        """Settings, figures and curves of some runs, side by side."""
        self.check_researcher(request)
        runs = chosen(request.GET.getlist("run"))
        found = comparison(runs)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("Compare runs"),
            "others": Run.objects.select_related("campaign")
            .exclude(pk__in=[run.pk for run in runs])
            .order_by("-pk")[:OTHERS],
            "tables": [
                (_("Settings that differ"), found["settings"]),
                (_("What they read"), found["inputs"]),
                (_("How they ended"), found["figures"]),
            ],
            **found,
        }
        return TemplateResponse(request, "admin/trainer/run/comparison.html", context)

    def log(self, request: HttpRequest, run_id: int, attempt: int) -> FileResponse:
        """All that the lab printed in one attempt."""
        self.check_researcher(request)
        run = get_object_or_404(Run, pk=run_id)
        name = f"run-{run.pk}-attempt-{attempt}.txt"
        try:
            log = log_of(run, attempt).open("rb")
        except OSError as gone:
            raise Http404 from gone
        return FileResponse(log, as_attachment=True, filename=name, content_type="text/plain; charset=utf-8")

    def cancel(self, request: HttpRequest, run_id: int) -> HttpResponse:
        self.check_researcher(request)
        run = get_object_or_404(Run, pk=run_id)
        try:
            cancel_run(run, by=self.person(request), now=timezone.now())
        except Refusal as refusal:
            messages.warning(request, refusal.detail)
        else:
            messages.success(request, _("The run is cancelled."))
        return HttpResponseRedirect(url_of(run))

    def resume(self, request: HttpRequest, run_id: int) -> HttpResponse:
        self.check_researcher(request)
        run = get_object_or_404(Run, pk=run_id)
        try:
            resumed = resume_run(run, by=self.person(request), now=timezone.now())
        except Refusal as refusal:
            messages.warning(request, refusal.detail)
        else:
            messages.success(request, _resumed(len(resumed) - 1))
        return HttpResponseRedirect(url_of(run))


def _resumed(others: int) -> str:
    words = _("The run is queued again. It goes on from its newest saved state, where one is left.")
    if not others:
        return words
    waiting = ngettext(
        "So is %(count)d run that waits for it.", "So are %(count)d runs that wait for it.", others
    )
    return f"{words} {waiting % {'count': others}}"
