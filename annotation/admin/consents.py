from django.contrib import admin

from annotation.admin.base import RecordAdmin
from annotation.models import Consent


@admin.register(Consent)
class ConsentAdmin(RecordAdmin):
    list_display = ["labeler", "text", "given_at", "withdrawn_at"]
    list_filter = ["text__campaign", ("withdrawn_at", admin.EmptyFieldListFilter)]
    list_select_related = ["text__campaign", "labeler"]
    search_fields = ["labeler__username"]
    fields = ["labeler", "text", "given_at", "withdrawn_at"]
    readonly_fields = fields
