from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from trainer.actions.nodes import SWEEPS
from trainer.admin.base import ResearcherAdmin
from trainer.models import Node


@admin.register(Node)
class NodeAdmin(ResearcherAdmin):
    """The machines that carry out runs. Each describes itself; here nothing is changed."""

    list_display = ["name", "health", "at_work", "gpus", "memory_size", "disk", "last_seen_at", "pytorch"]
    ordering = ["-last_seen_at"]
    fields = readonly_fields = [
        "name",
        "queue",
        "host",
        "pid",
        "boot_id",
        "started_at",
        "last_seen_at",
        "at_work",
        "gpus",
        "memory_size",
        "disk",
        "versions",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Node]:
        # The sweeps leave their sign of life among the nodes, and are no machine.
        nodes: QuerySet[Node] = super().get_queryset(request).exclude(name=SWEEPS)
        return nodes

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A machine that is gone for good can leave the list; one that speaks would be back at once."""
        is_gone = isinstance(obj, Node) and not obj.is_alive(timezone.now())
        return is_gone and self.has_view_permission(request)

    @display(
        description=gettext_lazy("health"),
        label={"alive": "success", "full": "warning", "silent": "danger"},
    )
    def health(self, node: Node) -> tuple[str, str]:
        if not node.is_alive(timezone.now()):
            return "silent", _("Silent")
        return ("full", _("Disk nearly full")) if node.is_nearly_full else ("alive", _("Alive"))

    @admin.display(description=gettext_lazy("at work"))
    def at_work(self, node: Node) -> str:
        return _("%(running)d of %(capacity)d runs") % {"running": node.running, "capacity": node.capacity}

    @admin.display(description=gettext_lazy("devices"))
    def gpus(self, node: Node) -> str:
        told = [f"{device['name']} ({filesizeformat(device['memory'])})" for device in node.devices]
        return ", ".join(told) or _("CPU")

    @admin.display(description=gettext_lazy("memory"), ordering="memory")
    def memory_size(self, node: Node) -> str:
        return filesizeformat(node.memory)

    @admin.display(description=gettext_lazy("free disk"), ordering="free_disk")
    def disk(self, node: Node) -> str:
        return filesizeformat(node.free_disk)

    @admin.display(description="PyTorch")
    def pytorch(self, node: Node) -> str:
        return str(node.versions.get("torch", "–"))
