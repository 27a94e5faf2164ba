from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from annotation.models import Person

# Roles say who may do what; groups would be a second answer to the same question.
admin.site.unregister(Group)


@admin.register(Person)
class PersonAdmin(UserAdmin, ModelAdmin):  # type: ignore[misc,type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "first_name", "role", "is_active", "is_staff", "is_simulated", "last_login"]
    list_filter = ["role", "is_active", "is_simulated", ("erased_at", admin.EmptyFieldListFilter)]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email"]}),
        (_("Rights"), {"fields": ["role", "is_active", "is_staff", "is_superuser"]}),
    ]
    add_fieldsets = [(None, {"fields": ["username", "role", "password1", "password2"]})]
    ordering = ["username"]
    filter_horizontal = []
    actions_detail = ["erase"]

    def has_delete_permission(self, request: HttpRequest, obj: Person | None = None) -> bool:
        # Deleting a row leaves its traces elsewhere; people are erased.
        return False

    @action(description=_("Erase this person"), icon="person_remove", permissions=["view"])
    def erase(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:annotation_erase_person", args=[object_id]))
