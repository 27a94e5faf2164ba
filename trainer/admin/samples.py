from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from annotation.admin.dialogues import dialogue
from trainer.admin.base import ResearcherAdmin
from trainer.admin.links import link_to
from trainer.models import SampledCompletion


@admin.register(SampledCompletion)
class SampledCompletionAdmin(ResearcherAdmin):
    list_display = ["completion", "run", "checkpoint", "finished", "tokens"]
    list_filter = ["checkpoint"]
    list_select_related = ["completion", "run", "checkpoint"]
    search_fields = ["completion__text"]
    fields = readonly_fields = ["conversation", "text", "finished", "tokens", "by_run", "by_checkpoint"]

    @admin.display(description=_("prompt"))
    def conversation(self, sample: SampledCompletion) -> SafeString:
        return dialogue(sample.completion.prompt.messages)

    @admin.display(description=_("completion"))
    def text(self, sample: SampledCompletion) -> str:
        return sample.completion.text

    @admin.display(description=_("run"))
    def by_run(self, sample: SampledCompletion) -> SafeString | str:
        return link_to(sample.run)

    @admin.display(description=_("checkpoint"))
    def by_checkpoint(self, sample: SampledCompletion) -> SafeString | str:
        return link_to(sample.checkpoint)
