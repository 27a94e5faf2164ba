"""Pipelines: their files, the button that starts them, and what each start is at."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from annotation.admin.base import is_researcher
from annotation.errors import Refusal
from annotation.models import Person
from trainer.actions.pipelines import checked, new_rankings, settle_pipelines, start_pipeline, stop_pipeline
from trainer.admin.base import ResearcherAdmin
from trainer.admin.links import listed, url_of
from trainer.admin.run_page import COLORS
from trainer.errors import InvalidPipeline
from trainer.models import Checkpoint, Pipeline, PipelineRun
from trainer.pipelines import PipelineSpec


class PipelineForm(ModelForm):  # type: ignore[type-arg]  # a form class takes no argument at run time
    class Meta:
        model = Pipeline
        fields = ["campaign", "name", "document", "repeat_after_rankings", "is_active"]
        widgets = {
            "document": UnfoldAdminTextareaWidget(
                attrs={"rows": 24, "spellcheck": "false", "dir": "ltr", "class": "desk-document"}
            )
        }

    def clean_document(self) -> str:
        document: str = self.cleaned_data["document"]
        try:
            checked(document)
        except InvalidPipeline as refusal:
            raise forms.ValidationError(str(refusal.detail)) from refusal
        return document


class PipelineStartForm(forms.Form):
    base = forms.ModelChoiceField(
        Checkpoint.objects.exclude(kind=Checkpoint.Kind.REWARD).order_by("-pk"),
        label=gettext_lazy("Starts from"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("Empty: what the file names, else what it started from the last time."),
    )
    stages = forms.ChoiceField(label=gettext_lazy("Stages"), required=False, widget=UnfoldAdminSelectWidget)
    # The second click finds what the first one started.
    idempotency_key = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput)

    def __init__(self, spec: PipelineSpec, pipeline: Pipeline, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pipeline = pipeline
        names = [stage.name for stage in spec.stages]
        self.fields["stages"].choices = [  # type: ignore[attr-defined]
            ("", _("All")),
            *((f"since:{name}", _("From “%(stage)s” on") % {"stage": name}) for name in names[1:]),
            *((f"only:{name}", _("Only “%(stage)s”") % {"stage": name}) for name in names),
        ]
        if not spec.start and not pipeline.runs.exists():
            self.initial.setdefault("base", self.fields["base"].queryset.filter(kind="base").first())  # type: ignore[attr-defined]

    def start(self, person: Person) -> PipelineRun | None:
        """None when it was refused, for a reason on the form."""
        which, _sep, stage = self.cleaned_data["stages"].partition(":")
        try:
            return start_pipeline(
                pipeline=self.pipeline,
                start=self.cleaned_data["base"],
                by=person,
                now=timezone.now(),
                idempotency_key=self.cleaned_data["idempotency_key"],
                **({which: stage} if stage else {}),
            )
        except Refusal as refusal:
            self.add_error(None, refusal.detail)
            return None


@admin.register(Pipeline)
class PipelineAdmin(ResearcherAdmin):
    form = PipelineForm
    list_display = ["name", "campaign", "last_start", "repeat_after_rankings", "waiting", "is_active"]
    list_filter = ["campaign"]
    list_select_related = ["campaign"]
    readonly_fields = ["last_start", "trouble"]
    actions_detail = ["start"]

    class Media:
        css = {"all": ["trainer/desk.css"]}

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return is_researcher(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_researcher(request)

    def get_fields(self, request: HttpRequest, obj: Pipeline | None = None) -> list[str]:
        shown = ["last_start", *(["trouble"] if obj.trouble else [])] if obj else []
        return [*shown, *PipelineForm.Meta.fields]

    def save_model(self, request: HttpRequest, obj: Pipeline, form: Any, change: bool) -> None:
        if not change:
            obj.created_by, obj.created_at = self.person(request), timezone.now()
        super().save_model(request, obj, form, change)

    @admin.display(description=gettext_lazy("last starts"))
    def last_start(self, pipeline: Pipeline) -> Any:
        return listed(pipeline.runs.select_related("pipeline").order_by("-number")[:5])

    @admin.display(description=gettext_lazy("new rankings"))
    def waiting(self, pipeline: Pipeline) -> int:
        return new_rankings(pipeline)

    @action(
        description=gettext_lazy("Start"),
        icon="play_arrow",
        url_path="start",
        permissions=["view"],
        variant=ActionVariant.PRIMARY,
    )
    def start(self, request: HttpRequest, object_id: str) -> HttpResponse:
        self.check_researcher(request)
        pipeline = get_object_or_404(Pipeline, pk=object_id)
        try:
            spec = checked(pipeline.document)
        except InvalidPipeline as refusal:
            messages.error(request, str(refusal.detail))
            return HttpResponseRedirect(url_of(pipeline))
        form = PipelineStartForm(spec, pipeline, request.POST or None, initial=request.GET.dict())
        if form.is_valid() and (started := form.start(self.person(request))):
            messages.success(request, _("%(start)s is queued.") % {"start": started})
            return HttpResponseRedirect(url_of(started))
        return self.form_page(
            request,
            form,
            title=_("Start %(pipeline)s") % {"pipeline": pipeline},
            button=_("Start"),
            lead=_(
                "Freezes what the campaign has now and queues the stages; each waits for those before it."
            ),
        )


@admin.register(PipelineRun)
class PipelineRunAdmin(ResearcherAdmin):
    list_display = ["__str__", "state", "reason", "new_rankings", "started_by", "started_at"]
    list_filter = ["status", "pipeline"]
    list_select_related = ["pipeline", "started_by"]
    ordering = ["-pk"]
    fields = readonly_fields = ["status"]

    def get_urls(self) -> list[URLPattern]:
        stop = self.admin_site.admin_view(require_POST(self.stop))
        return [path("<int:started_id>/stop/", stop, name="trainer_pipelinerun_stop"), *super().get_urls()]

    @display(description=gettext_lazy("status"), ordering="status", label=COLORS)
    def state(self, started: PipelineRun) -> tuple[str, str]:
        return started.status, started.get_status_display()

    def page_of(self, row: PipelineRun) -> dict[str, Any]:
        settle_pipelines(pipeline=row.pipeline, now=timezone.now())
        row.refresh_from_db()
        return {
            "started": row,
            "color": COLORS[row.status],
            "stages": [
                {"run": run, "url": url_of(run), "color": COLORS[run.status]}
                for run in row.stages.order_by("pk")
            ],
            "facts": [
                (_("Pipeline"), listed([row.pipeline])),
                (_("Campaign"), row.pipeline.campaign),
                (_("Reason"), row.get_reason_display()),
                (_("New rankings"), row.new_rankings),
                (_("Starts from"), listed([row.start])),
                (_("Started by"), row.started_by or "–"),
                (_("Started"), row.started_at),
                (_("Ended"), row.ended_at or "–"),
            ],
        }

    def stop(self, request: HttpRequest, started_id: int) -> HttpResponse:
        self.check_researcher(request)
        started = get_object_or_404(PipelineRun, pk=started_id)
        stop_pipeline(started, by=self.person(request), now=timezone.now())
        return HttpResponseRedirect(url_of(started))
