from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.actions.preferences import change_preferences
from annotation.api.access import person
from annotation.errors import UnknownPreference

# The front end knows its commands; the server keeps the chords within bounds.
_COMMAND = r"^[a-z]{1,20}\.[A-Za-z]{1,30}$"
_CHORD = r"^(Mod\+)?(Alt\+)?(Shift\+)?([^\s\x00-\x1f]|[A-Z][A-Za-z0-9]{1,20})$"
MOST_BINDINGS = 100
MOST_CHORDS = 4


class ChordsField(serializers.ListField):
    child = serializers.RegexField(_CHORD, max_length=40)


class KeysField(serializers.DictField):
    """Whoever remaps a command says all of its chords; an empty list takes its keys away."""

    child = ChordsField(max_length=MOST_CHORDS)

    def to_internal_value(self, data: Any) -> dict[str, list[str]]:
        if isinstance(data, dict) and len(data) > MOST_BINDINGS:
            raise serializers.ValidationError(_("These are more keys than there are commands."))
        command = serializers.RegexField(_COMMAND)
        keys: dict[str, list[str]] = super().to_internal_value(data)
        return {command.run_validation(name): chords for name, chords in keys.items()}


class PreferencesOutput(serializers.Serializer[Any]):
    """What somebody chose; whatever is absent is as the screens come."""

    language = serializers.ChoiceField(choices=["en", "zh-Hans"])
    theme = serializers.ChoiceField(choices=["system", "light", "dark"])
    text_size = serializers.IntegerField(min_value=14, max_value=20, help_text="Of what is read, in pixels.")
    density = serializers.ChoiceField(choices=["comfortable", "compact"])
    single_keys = serializers.BooleanField(help_text="Whether a key alone is a command.")
    keys = KeysField(help_text="The chords of commands that were given others, by scope.command.")
    key_hints = serializers.BooleanField()
    break_minutes = serializers.IntegerField(
        min_value=0, max_value=240, help_text="Active minutes before a break is proposed; 0 is never."
    )
    daily_goal = serializers.IntegerField(min_value=0, max_value=2000, help_text="Items a day; 0 is none.")
    tour_seen = serializers.BooleanField(help_text="Went through the tour, or wanted none.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields


class PreferencesInput(PreferencesOutput):
    """What changes; null is as the screens come."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        for field in fields.values():
            field.allow_null = True
        return fields

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            words = _("There is no such preference: %(names)s.") % {"names": ", ".join(unknown)[:200]}
            raise UnknownPreference(words)
        changes: dict[str, Any] = super().to_internal_value(data)
        return changes


class Preferences(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="changePreferences", request=PreferencesInput, responses=PreferencesOutput)
    def patch(self, request: Request) -> Response:
        body = PreferencesInput(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        kept = change_preferences(person=person(request), changes=body.validated_data)
        return Response(PreferencesOutput(kept).data)
