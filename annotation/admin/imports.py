"""The page that imports a file into a campaign, and what it says afterwards."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from annotation.actions.imports import ImportReport, import_items
from annotation.formats import READERS
from annotation.formats.files import as_text
from annotation.models import Campaign

SHOWN_PROBLEMS = 10
MAX_BYTES = 20 * 1024 * 1024
"""What can be imported while a browser waits."""

FORMATS = {
    "prompts": _("Prompts, one JSON object a line"),
    "hh-rlhf": _("HH-RLHF: chosen and rejected dialogues"),
    "oasst": _("Open-Assistant: message trees"),
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
            "language, completions (2 to 9 texts to rank) and tiers (their positions from 0, best first)."
        ),
    )
    file = forms.FileField(
        label=_("File"), widget=UnfoldAdminFileFieldWidget, help_text=_("JSON lines; may be gzipped.")
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            most = filesizeformat(MAX_BYTES)
            words = _("At most %(most)s can be imported here; for more use: manage.py import_data")
            raise forms.ValidationError(words % {"most": most})
        return file


def import_file(cleaned: dict[str, Any]) -> ImportReport:
    return import_items(
        campaign=cleaned["campaign"],
        items=READERS[cleaned["format"]](as_text(cleaned["file"].file)),
        format_name=cleaned["format"],
        now=timezone.now(),
    )


def tell(request: HttpRequest, report: ImportReport) -> None:
    if added := _counted(report.added):
        messages.success(request, gettext("Added: %(things)s.") % {"things": added})
    if unchanged := _counted(report.unchanged):
        messages.info(request, gettext("There already: %(things)s.") % {"things": unchanged})
    if not (added or unchanged):
        messages.warning(request, gettext("Nothing in this file could be imported."))
    for problem in report.problems[:SHOWN_PROBLEMS]:
        line = gettext("Line %(line)d was left out") % {"line": problem.line}
        messages.warning(request, format_html("{}: {} [{}]", line, problem.detail, problem.code))
    if (hidden := len(report.problems) - SHOWN_PROBLEMS) > 0:
        words = ngettext("and %(count)d more line", "and %(count)d more lines", hidden)
        messages.warning(request, words % {"count": hidden})


def _counted(things: dict[str, int]) -> str:
    count = {
        name: things.get(name, 0) for name in ("prompts", "candidate sets", "rankings", "demonstrations")
    }
    words = [
        ngettext("%(count)d prompt", "%(count)d prompts", count["prompts"]),
        ngettext("%(count)d candidate set", "%(count)d candidate sets", count["candidate sets"]),
        ngettext("%(count)d ranking", "%(count)d rankings", count["rankings"]),
        ngettext("%(count)d demonstration", "%(count)d demonstrations", count["demonstrations"]),
    ]
    told = zip(words, count.values(), strict=True)
    return gettext(", ").join(text % {"count": number} for text, number in told if number)
