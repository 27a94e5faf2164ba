"""On the pages of what people said: every snapshot, run and checkpoint that it touched.

People's own pages do not know the machines, so those of researchers are replaced here by ones that do.
"""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.admin.demonstrations import DemonstrationAdmin
from annotation.admin.rankings import RankingAdmin
from annotation.models import Demonstration, Ranking
from trainer.actions.lineage import Judgement, Touched, touched_by
from trainer.admin.links import listed

MOST = 200
FIELDS = ["in_snapshots", "touched_runs", "touched_checkpoints"]


class Onward:
    @admin.display(description=gettext_lazy("in snapshots"))
    def in_snapshots(self, judgement: Judgement) -> SafeString | str:
        touched = _touched(judgement)
        shown = _some(touched.snapshots)
        if not touched.not_looked_at:
            return shown
        words = _("%(count)d more may hold it: their files are not on this machine.")
        return format_html("{} ({})", shown, words % {"count": touched.not_looked_at})

    @admin.display(description=gettext_lazy("runs that it touched"))
    def touched_runs(self, judgement: Judgement) -> SafeString | str:
        return _some(_touched(judgement).runs)

    @admin.display(description=gettext_lazy("models that it touched"))
    def touched_checkpoints(self, judgement: Judgement) -> SafeString | str:
        return _some(_touched(judgement).checkpoints)


def _touched(judgement: Judgement) -> Touched:
    """Looked up once for the page."""
    kept: Touched | None = getattr(judgement, "_touched", None)
    if kept is None:
        kept = judgement._touched = touched_by(judgement)  # type: ignore[union-attr]
    return kept


def _some(rows: list[Any]) -> SafeString | str:
    """The newest, where there are very many."""
    if len(rows) <= MOST:
        return listed(rows)
    words = _("and %(count)d older ones") % {"count": len(rows) - MOST}
    return format_html("{} {}", listed(rows[-MOST:]), words)


admin.site.unregister([Ranking, Demonstration])


@admin.register(Ranking)
class TracedRankingAdmin(Onward, RankingAdmin):
    fields = readonly_fields = [*RankingAdmin.fields, *FIELDS]


@admin.register(Demonstration)
class TracedDemonstrationAdmin(Onward, DemonstrationAdmin):
    fields = readonly_fields = [*DemonstrationAdmin.fields, *FIELDS]
