from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from trainer.actions.nodes import missing_workers
from trainer.admin.cloning import given_by
from trainer.admin.costs import shown_cost
from trainer.admin.forms import LoopForm
from trainer.admin.links import url_of
from trainer.admin.run_page import COLORS, run_page
from trainer.admin.run_steering import RunSteering
from trainer.admin.start_form import StartForm
from trainer.handoff.configs import CONFIGS
from trainer.models import Run


@admin.register(Run)
class RunAdmin(RunSteering):
    list_display = ["__str__", "state", "progress", "priority", "campaign", "created_by", "created_at"]
    list_filter = ["campaign", "kind", "status"]
    list_select_related = ["campaign", "created_by"]
    fields = readonly_fields = ["status"]
    actions = ["compare_chosen"]
    actions_list = [
        {
            "title": gettext_lazy("Start a run"),
            "icon": "play_circle",
            "items": [
                "start_sft",
                "start_reward",
                "start_ppo",
                "start_dpo",
                "start_kto",
                "start_sample",
                "start_evaluate",
                "start_generate",
                "start_expand",
                "start_judge",
                "start_quantize",
                "start_distill",
                "start_prune",
                "start_share",
            ],
        },
        "loop",
    ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "GET" and (words := missing_workers(now=timezone.now())):
            messages.error(request, words)
        answer: HttpResponse = super().changelist_view(request, extra_context)
        return answer

    @display(description=gettext_lazy("status"), ordering="status", label=COLORS)
    def state(self, run: Run) -> tuple[str, str]:
        return run.status, run.get_status_display()

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, run: Run) -> str:
        return f"{run.step} / {run.steps}" if run.steps else "–"

    def page_of(self, row: Run) -> dict[str, Any]:
        return run_page(row)

    @action(
        description=gettext_lazy("Run the whole loop"),
        icon="all_inclusive",
        permissions=["view"],
        variant=ActionVariant.PRIMARY,
    )
    def loop(self, request: HttpRequest) -> HttpResponse:
        form = LoopForm(request.POST or None, initial=request.GET.dict())
        if form.is_valid() and (started := form.start(self.person(request), now=timezone.now())):
            words = _("The loop is queued: SFT, reward model, PPO, and new candidates to rank.")
            messages.success(request, words)
            return HttpResponseRedirect(url_of(started))
        return self.form_page(
            request,
            form,
            title=_("Run the whole loop"),
            button=_("Run the loop"),
            lead=_(
                "Freezes what the campaign has now, then trains a supervised model, a reward model and a "
                "policy, and gives the policy's answers to the labelers. It is one of the campaign's "
                "pipelines: change its stages there, or have it repeat by itself."
            ),
        )

    @action(description=Run.Kind.SFT.label, url_path="start/sft", permissions=["view"])
    def start_sft(self, request: HttpRequest) -> HttpResponse:
        return self._start(request, Run.Kind.SFT)

    @action(description=Run.Kind.REWARD.label, url_path="start/reward", permissions=["view"])
    def start_reward(self, request: HttpRequest) -> HttpResponse:
        return self._start(request, Run.Kind.REWARD)

    @action(description=Run.Kind.PPO.label, url_path="start/ppo", permissions=["view"])
    def start_ppo(self, request: HttpRequest) -> HttpResponse:
        return self._start(request, Run.Kind.PPO)

    @action(description=Run.Kind.DPO.label, url_path="start/dpo", permissions=["view"])
    def start_dpo(self, request: HttpRequest) -> HttpResponse:
        return self._start(request, Run.Kind.DPO)

    @action(description=Run.Kind.KTO.label, url_path="start/kto", permissions=["view"])
    def start_kto(self, request: HttpRequest) -> HttpResponse:
        return self._start(request, Run.Kind.KTO)

    @action(description=Run.Kind.SAMPLE.label, url_path="start/sample", permissions=["view"])
    def start_sample(self, request: HttpRequest) -> HttpResponse:
        return self._start(request, Run.Kind.SAMPLE)

    @action(description=Run.Kind.EVALUATE.label, url_path="start/evaluate", permissions=["view"])
    def start_evaluate(self, request: HttpRequest) -> HttpResponse:
        return self._start(request, Run.Kind.EVALUATE)

    @action(description=Run.Kind.QUANTIZE.label, url_path="start/quantize", permissions=["view"])
    def start_quantize(self, request: HttpRequest) -> HttpResponse:
        return self._start(request, Run.Kind.QUANTIZE)

    @action(description=Run.Kind.DISTILL.label, url_path="start/distill", permissions=["view"])
    def start_distill(self, request: HttpRequest) -> HttpResponse:
        return self._start(request, Run.Kind.DISTILL)

    @action(description=Run.Kind.PRUNE.label, url_path="start/prune", permissions=["view"])
    def start_prune(self, request: HttpRequest) -> HttpResponse:
        return self._start(request, Run.Kind.PRUNE)

    @action(description=Run.Kind.SHARE.label, url_path="start/share", permissions=["view"])
    def start_share(self, request: HttpRequest) -> HttpResponse:
        return self._start(request, Run.Kind.SHARE)

    @action(description=Run.Kind.GENERATE.label, url_path="start/generate", permissions=["view"])
    def start_generate(self, request: HttpRequest) -> HttpResponse:
        return self._start(request, Run.Kind.GENERATE)

    @action(description=Run.Kind.EXPAND.label, url_path="start/expand", permissions=["view"])
    def start_expand(self, request: HttpRequest) -> HttpResponse:
        return self._start(request, Run.Kind.EXPAND)

    @action(description=Run.Kind.JUDGE.label, url_path="start/judge", permissions=["view"])
    def start_judge(self, request: HttpRequest) -> HttpResponse:
        return self._start(request, Run.Kind.JUDGE)

    def _start(self, request: HttpRequest, kind: Run.Kind) -> HttpResponse:
        form, now = StartForm(kind, request.POST or None, initial=given_by(request.GET)), timezone.now()
        only_looks = "check" in request.POST
        if form.is_valid() and not only_looks and (run := form.queue(self.person(request), now=now)):
            messages.success(request, _("%(run)s is queued.") % {"run": run})
            return HttpResponseRedirect(url_of(run))
        return self.form_page(
            request,
            form,
            title=_("Start a run: %(kind)s") % {"kind": kind.label},
            button=_("Start"),
            lead=_(CONFIGS[kind].__doc__ or ""),
            template="admin/trainer/run/start.html",
            check=shown_cost(form.cost(now=now), now=now) if only_looks and form.is_valid() else None,
        )
