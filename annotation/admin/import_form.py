from django import forms
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from annotation.actions.import_queue import MAX_BYTES, start_import
from annotation.errors import Refusal
from annotation.formats import READERS
from annotation.models import Campaign, Import, Person

FORMATS = {
    "prompts": _("Prompts"),
    "listwise": _("Listwise: candidates with everybody's rankings"),
    "trl-messages": _("TRL: messages"),
    "trl-prompt-completion": _("TRL: prompt and completion"),
    "trl-preference": _("TRL: preference"),
    "trl-implicit-preference": _("TRL: preference without a prompt of its own"),
    "trl-unpaired": _("TRL: unpaired preference"),
    "trl-prompt-only": _("TRL: prompt only"),
    "openai-sft": _("OpenAI: supervised tuning"),
    "openai-dpo": _("OpenAI: preference tuning"),
    "hh-rlhf": _("HH-RLHF: chosen and rejected dialogues"),
    "oasst": _("Open-Assistant: message trees"),
    "arena": _("Arena battles"),
    "helpsteer": _("HelpSteer3: preferences with their raters"),
    "chatllama-actor": _("chatllama: actor data"),
    "chatllama-reward": _("chatllama: answers with scores"),
    "chatllama-prompts": _("chatllama: prompts"),
    "coati-instructions": _("Coati: instructions, as Alpaca has them"),
    "coati-conversations": _("Coati: conversations"),
    "coati-preferences": _("Coati: preferences"),
}


class ImportForm(forms.Form):
    campaign = forms.ModelChoiceField(
        Campaign.objects.order_by("name"), label=_("Campaign"), widget=UnfoldAdminSelectWidget
    )
    format = forms.ChoiceField(
        label=_("Format"),
        choices=[(name, FORMATS[name]) for name in READERS],
        widget=UnfoldAdminSelectWidget,
        help_text=_(
            'Prompts: {"prompt": a text} or {"messages": [{"role", "content"}]}; if you like, with kind, '
            "language, skill, completions (2 to 9 texts to rank) and tiers (their positions from 0, best "
            "first). A .txt file has one prompt a line."
        ),
    )
    file = forms.FileField(
        label=_("File"),
        widget=UnfoldAdminFileFieldWidget,
        help_text=_(
            "JSON lines, CSV with a first line of names, or Parquet; may be gzipped. At most %(most)s."
        )
        % {"most": filesizeformat(MAX_BYTES)},
    )

    def start(self, researcher: Person) -> Import | None:
        """The import, or None with the refusal among the form's errors."""
        file = self.cleaned_data["file"]
        try:
            return start_import(
                campaign=self.cleaned_data["campaign"],
                format_name=self.cleaned_data["format"],
                file_name=file.name,
                chunks=file.chunks(),
                created_by=researcher,
                now=timezone.now(),
            )
        except Refusal as refusal:
            self.add_error(None, refusal.detail)
            return None
