"""What a node says of a run that somebody thinks of, or what it is at."""

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from trainer.actions.nodes import how_to_start_one, sizes
from trainer.handoff.endpoints import is_endpoint
from trainer.models import Rehearsal


def progress(rehearsal: Rehearsal, now: datetime) -> str:
    """What a node is at; empty once nobody need wait any longer."""
    if not rehearsal.is_waited_for(now):
        return ""
    if rehearsal.lease_expires_at:
        words = _("%(node)s fetches what such a run reads, counts tokens and plans memory.")
        return words % {"node": rehearsal.worker}
    if there := sizes(now=now):
        asks = _("A node is asked to count tokens and plan memory. This takes some seconds.")
        return asks if max(there) >= rehearsal.devices else ""
    nobody = _("Nobody is there to count tokens and plan memory; what stands here is guessed.")
    return f"{nobody} {how_to_start_one()}"


def nobody_large_enough(rehearsal: Rehearsal, now: datetime) -> str:
    """Why such a run would wait although nodes are there; empty where it would not."""
    there = sizes(now=now)
    fit = sum(size >= rehearsal.devices for size in there)
    if not there or fit >= rehearsal.nodes:
        return ""
    told = {"nodes": rehearsal.nodes, "devices": rehearsal.devices, "fit": fit, "most": max(there)}
    waits = _("Once started, it would wait until such nodes are there.")
    return f"{_too_few(**told) % told} {waits}"


def _too_few(nodes: int, devices: int, fit: int, most: int) -> str:
    if nodes == 1:
        return _("It asks for a node with %(devices)d devices; no node that is there has more than %(most)d.")
    if devices > 1:
        return _("It asks for %(nodes)d nodes with %(devices)d devices each, and finds only %(fit)d.")
    return _("It asks for %(nodes)d nodes, and finds only %(fit)d.")


def notes_of_the_node(rehearsal: Rehearsal, now: datetime) -> list[str]:
    """Who has looked, and what may be otherwise where the run goes; or why nobody has."""
    if rehearsal.answered_at is None:
        late = _("No node has answered. The one that takes the run plans its memory before it loads weights.")
        return [] if rehearsal.is_waited_for(now) else [late]
    if rehearsal.told:
        return _of_its_memory(rehearsal) if "peaks" in rehearsal.told else []
    return [] if rehearsal.trouble else [_why_not(rehearsal)]


def _of_its_memory(rehearsal: Rehearsal) -> list[str]:
    words = _("Memory is that of %(node)s; another node that takes the run looks at its own.")
    if rehearsal.nodes > 1:
        words = _("Memory is that of %(node)s for its part of the run; each other node looks at its own.")
    notes = [words % {"node": rehearsal.worker}]
    if count := rehearsal.runs_beside:
        beside = ngettext(
            "It carries out %(count)d run at the moment, and what that holds is not free.",
            "It carries out %(count)d runs at the moment, and what those hold is not free.",
            count,
        )
        notes.append(beside % {"count": count})
    return notes


def _why_not(rehearsal: Rehearsal) -> str:
    if is_endpoint(rehearsal.base_model):
        return _("Its weights are loaded elsewhere, so no memory is planned here.")
    if rehearsal.took_too_long:
        words = _("%(node)s could not plan its memory in two minutes: the node that takes the run does that.")
    else:
        words = _(
            "%(node)s does not have yet what such a run reads. The node that takes the run fetches it, and "
            "plans its memory before it loads weights."
        )
    return words % {"node": rehearsal.worker}
