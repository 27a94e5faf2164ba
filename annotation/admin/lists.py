"""Lists that open as fast at a million rows as at a thousand.

A list counts no further than ``COUNTED`` rows and has no more pages than those fill; from its last page a
link goes on with what is older. What an index knows (numbers, digests, accounts) is found everywhere, words
are looked for in the newest ``SEARCHED`` rows. Smaller tables notice nothing of either.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR
from django.core.paginator import Page, Paginator
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import TextFilter
from unfold.views import ChangeList

from annotation.models import Campaign, Person

COUNTED = 10_000
SEARCHED = 20_000
OFFERED = 2000
MOST_FOUND = 1000
BIGGEST_NUMBER = 2**63 - 1

Rows = QuerySet[Any]


def counted(rows: Rows) -> int:
    """How many there are, or one more than ``COUNTED``: the database stops there."""
    return rows.order_by().values("pk")[: COUNTED + 1].count()


def told(rows: Rows) -> str:
    """The same in words."""
    count = counted(rows)
    return f"{COUNTED}+" if count > COUNTED else str(count)


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    template_name = "admin/annotation/pages.html"

    @cached_property
    def count(self) -> int:
        return min(self._counted, COUNTED)

    @property
    def is_more(self) -> bool:
        return self._counted > COUNTED

    def page(self, number: int | str) -> Page[Any]:
        # Numbers first: otherwise what the page shows beside a row is looked up for all rows before it too.
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        rows: Rows = self.object_list  # type: ignore[assignment]
        numbers = list(rows.values_list("pk", flat=True)[start : min(start + self.per_page, self.count)])
        return Page(rows.filter(pk__in=numbers), number, self)

    @cached_property
    def _counted(self) -> int:
        return counted(self.object_list)  # type: ignore[arg-type]  # the admin pages querysets only


class LongChangeList(ChangeList):  # type: ignore[misc]
    @property
    def older(self) -> str:
        """On the last page: where what is older than it goes on. By number, so nothing shifts meanwhile."""
        rows = list(self.result_list)
        if not (rows and self.paginator.is_more and self.page_num == self.paginator.num_pages):
            return ""
        return str(self.get_query_string({"id__lt": rows[-1].pk}, [PAGE_VAR]))

    @property
    def newest(self) -> str:
        return str(self.get_query_string(remove=["id__lt", PAGE_VAR])) if "id__lt" in self.params else ""


class MarksSynthetic:
    """A column for what no person made."""

    @admin.display(description=_("synthetic"))
    def made_up(self, row: Any) -> str:
        return gettext("made up by a model") if self.is_made_up(row) else ""

    def is_made_up(self, row: Any) -> bool:
        return bool(row.is_synthetic)


class LongList:
    """For a page of a table that grows without end. Its newest rows come first."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_filter_submit = True
    # Not read as field names: ``find`` says what is searched. That there are some shows the search box.
    search_fields = ["pk"]
    model: type[Model]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LongChangeList]:
        return LongChangeList

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """All columns while that is cheap."""
        if counted(self.model._default_manager.all()) > COUNTED:
            return ()
        return super().get_sortable_by(request)  # type: ignore[misc]

    def get_search_results(self, request: HttpRequest, queryset: Rows, search_term: str) -> tuple[Rows, bool]:
        term = search_term.strip()
        return (self.find(queryset, term) if term else queryset), False

    def find(self, rows: Rows, term: str) -> Rows:
        """What has this number; else what an index finds; else the newest with these words."""
        if term.removeprefix("#").isdecimal() and int(term.removeprefix("#")) <= BIGGEST_NUMBER:
            numbered = rows.filter(pk=int(term.removeprefix("#")))
            if numbered.exists():
                return numbered
        for known in self.look_up(rows, term):
            if known.exists():
                return known
        return rows.filter(pk__in=self.with_words(term))

    def look_up(self, rows: Rows, term: str) -> Iterator[Rows]:
        """Ways to find rows by an index, tried in turn."""
        yield from ()

    def with_words(self, term: str) -> list[int]:
        """Numbers of the newest rows with these words."""
        return []


def newest(model: type[Model], condition: Q, *, value: str = "pk") -> list[int]:
    """``value`` of the newest rows that meet the condition, looked for among the last ``SEARCHED``."""
    rows = model._default_manager.order_by("-pk")
    first = rows.values_list("pk", flat=True)[SEARCHED : SEARCHED + 1].first() or 0
    return list(rows.filter(condition, pk__gt=first).values_list(value, flat=True)[:MOST_FOUND])


def in_json(field: str, term: str) -> Q:
    """The term in a JSON field, also as JSON writes what is not ASCII."""
    written = json.dumps(term)[1:-1]
    return Q(**{f"{field}__icontains": term}) | Q(**{f"{field}__icontains": written})


def digest_begins(term: str) -> Q | None:
    """A range, which any index on the digest answers; None if the term begins none."""
    low = term.lower()
    if not 6 <= len(low) <= 64 or set(low) - set("0123456789abcdef"):
        return None
    return Q(digest__gte=low, digest__lte=f"{low}{'f' * (64 - len(low))}")


def accounts(term: str) -> list[int]:
    """Numbers of the accounts whose name begins like this."""
    found = Person.objects.filter(username__istartswith=term).order_by("username")
    return list(found.values_list("pk", flat=True)[:MOST_FOUND])


class LabelerFilter(TextFilter):  # type: ignore[misc]
    title = _("account's name")
    parameter_name = "account"

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        return queryset.filter(labeler__in=accounts(self.value())) if self.value() else queryset


class CampaignFilter(admin.SimpleListFilter):
    """Rows that know their campaign through another row."""

    title = _("campaign")
    parameter_name = "campaign"
    through: tuple[str, Callable[[int], Rows]]
    """The row's field, and the other rows of a campaign."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        return list(Campaign.objects.order_by("name").values_list("pk", "name"))

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        value = self.value() or ""
        if not value.isdecimal():
            return queryset
        field, others_of = self.through
        others = others_of(int(value))
        few = list(others.order_by().values_list("pk", flat=True)[: COUNTED + 1])
        if len(few) <= COUNTED:
            return queryset.filter(**{f"{field}__in": few})
        # With many, going through the newest rows meets one soon; a join might begin by sorting all of them.
        return queryset.filter(Exists(others.filter(pk=OuterRef(field))))


class NewestValuesFilter(admin.SimpleListFilter):
    """A filter by values that nobody has a list of: it offers those of the newest rows."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        name = self.parameter_name
        assert name
        last = model_admin.model._default_manager.order_by("-pk")[:OFFERED]
        found = model_admin.model._default_manager.filter(pk__in=last.values("pk")).values_list(
            name, flat=True
        )
        return [(value, value) for value in sorted({*found.distinct(), self.value() or ""}) if value]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset
