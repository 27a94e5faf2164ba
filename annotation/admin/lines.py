"""A list of texts as people write one: a line each."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

MOST_LINES, LONGEST_LINE = 20, 200


class LinesField(forms.CharField):
    """Stored as a JSON list; lines that are empty or said before are left out."""

    widget = UnfoldAdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        stripped = (line.strip() for line in (super().to_python(value) or "").splitlines())
        return list(dict.fromkeys(line for line in stripped if line))

    def validate(self, value: Any) -> None:
        super().validate(value)
        if len(value) > MOST_LINES:
            raise ValidationError(_("At most %(most)d lines.") % {"most": MOST_LINES})
        if any(len(line) > LONGEST_LINE for line in value):
            raise ValidationError(_("At most %(most)d characters a line.") % {"most": LONGEST_LINE})

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(self.prepare_value(initial)) != self.to_python(data))
