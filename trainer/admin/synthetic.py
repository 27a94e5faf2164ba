from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from annotation.admin.dialogues import dialogue, titled
from annotation.models import Ranking
from trainer.admin.base import ResearcherAdmin
from trainer.admin.links import link_to, url_of
from trainer.models import SyntheticRow


@admin.register(SyntheticRow)
class SyntheticRowAdmin(ResearcherAdmin):
    """What a model made up: the row, and how it was made."""

    list_display = ["what", "text", "run", "checkpoint"]
    list_filter = ["run__kind", "checkpoint"]
    list_select_related = ["run", "checkpoint", "prompt", "demonstration__prompt", "ranking"]
    fields = readonly_fields = ["row", "made_up", "examples", "by_run", "by_checkpoint"]

    @admin.display(description=_("kind"))
    def what(self, row: SyntheticRow) -> str:
        return str(_made(row)._meta.verbose_name)

    @admin.display(description=_("text"))
    def text(self, row: SyntheticRow) -> str:
        return str(row.demonstration.prompt if row.demonstration else row.prompt or row.ranking)

    @admin.display(description=_("row"))
    def row(self, row: SyntheticRow) -> SafeString:
        return format_html('<a href="{}" class="text-link">#{}</a>', url_of(_made(row)), _made(row).pk)

    @admin.display(description=_("made up"))
    def made_up(self, row: SyntheticRow) -> SafeString:
        if row.demonstration:
            return dialogue([*row.demonstration.prompt.messages, *row.demonstration.turns])
        return dialogue(row.prompt.messages) if row.prompt else _orders(row.ranking, row)

    @admin.display(description=_("made from"))
    def examples(self, row: SyntheticRow) -> SafeString | str:
        told = [(row.made_from[name], "") for name in ("topic", "persona") if name in row.made_from]
        prompts = ", ".join(f"#{number}" for number in row.made_from.get("prompts", []))
        return titled([*told, *([(_("prompts"), prompts)] if prompts else [])]) if told or prompts else "–"

    @admin.display(description=_("run"))
    def by_run(self, row: SyntheticRow) -> SafeString | str:
        return link_to(row.run)

    @admin.display(description=_("model"))
    def by_checkpoint(self, row: SyntheticRow) -> SafeString | str:
        return link_to(row.checkpoint)


def _made(row: SyntheticRow):  # type: ignore[no-untyped-def]  # one of three models
    return row.prompt or row.demonstration or row.ranking


def _orders(ranking: Ranking | None, row: SyntheticRow) -> SafeString:
    """What is kept, and each order as it was asked for and given."""
    asked = [(_in_words(one["tiers"]), one["reason"]) for one in row.made_from.get("askings", [])]
    return titled([(_("What they agree on"), str(ranking)), *asked])


def _in_words(tiers: list[list[int]]) -> str:
    return " > ".join(" = ".join(map(str, tier)) for tier in tiers)
