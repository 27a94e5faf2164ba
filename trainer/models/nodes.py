from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class NodeQuerySet(models.QuerySet["Node"]):
    def alive(self, now: datetime) -> NodeQuerySet:
        return self.filter(last_seen_at__gt=now - Node.SILENT_AFTER)


class Node(models.Model):
    """A worker that carries out runs, as it last described itself."""

    SILENT_AFTER = timedelta(seconds=60)
    LITTLE_DISK = 5 << 30
    """Bytes: a few saved states of a small model."""

    name = models.CharField(_("name"), max_length=200, unique=True)
    queue = models.CharField(_("queue"), max_length=50)
    host = models.CharField(_("host"), max_length=200)
    boot_id = models.CharField(_("boot"), max_length=36, blank=True, help_text=_("Changes at each restart."))
    pid = models.PositiveIntegerField(_("process"))
    devices = models.JSONField(_("devices"), default=list, help_text=_("Name and bytes of each GPU."))
    processes = models.PositiveSmallIntegerField(
        _("processes"), default=1, help_text=_("That share a run here: one for each device.")
    )
    memory = models.PositiveBigIntegerField(_("memory"), default=0)
    versions = models.JSONField(_("versions"), default=dict)
    free_disk = models.PositiveBigIntegerField(_("free disk"), default=0)
    capacity = models.PositiveSmallIntegerField(_("runs at a time"), default=1)
    running = models.PositiveSmallIntegerField(_("running"), default=0)
    started_at = models.DateTimeField(_("started"))
    last_seen_at = models.DateTimeField(_("last seen"))

    objects = NodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("node")
        verbose_name_plural = _("nodes")

    def __str__(self) -> str:
        return self.name

    @property
    def is_nearly_full(self) -> bool:
        return self.free_disk < self.LITTLE_DISK

    def is_alive(self, now: datetime) -> bool:
        return self.last_seen_at > now - self.SILENT_AFTER

    @classmethod
    def see(cls, name: str, *, now: datetime, **facts: Any) -> Node:
        """Keep what a worker tells of itself."""
        node, _is_new = cls.objects.update_or_create(
            name=name,
            defaults={**facts, "last_seen_at": now},
            create_defaults={"started_at": now, **facts, "last_seen_at": now},
        )
        return node
