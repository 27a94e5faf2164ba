"""What an arena's page shows: the votes and what follows from them, at this moment."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from annotation.models import Assignment
from annotation.models.assignments import AssignmentQuerySet
from trainer.actions.arena_votes import CastVote, as_tournament_votes, verdicts_of, votes_of
from trainer.admin.base import Facts
from trainer.admin.links import link_to, listed
from trainer.models import Arena, Checkpoint
from trainer.sequential import Verdict
from trainer.tournament import fit, style_difference

COLORS = {"ANSWERING": "info", "OPEN": "info", "DECIDED": "success", "STOPPED": "warning"}


def arena_page(arena: Arena) -> dict[str, Any]:
    cast = votes_of(arena)
    entries = arena.entries.select_related("checkpoint", "run").order_by("pk")
    checkpoints = {entry.checkpoint_id: entry.checkpoint for entry in entries}
    return {
        "arena": arena,
        "color": COLORS[arena.status],
        "facts": _facts(arena, cast),
        "answers": [(link_to(entry.checkpoint), link_to(entry.run)) for entry in entries],
        "duels": [
            _duel(checkpoints[one], checkpoints[other], verdict, cast)
            for (one, other), verdict in verdicts_of(arena, cast).items()
        ],
        "scores": _scores(cast, checkpoints) if cast else [],
        "controlled": _controlled(cast, checkpoints) if cast else [],
    }


def _facts(arena: Arena, cast: Sequence[CastVote]) -> Facts:
    sets = arena.pairs.values("candidate_set")
    turns = Assignment.objects.filter(purpose=Assignment.Purpose.ARENA, candidate_set__in=sets)
    facts: Facts = [
        (_("Campaign"), arena.campaign),
        (_("Started by"), arena.created_by or "–"),
        (_("Started"), arena.created_at),
        (_("Ended"), arena.ended_at or "–"),
        (_("Winner"), link_to(arena.winner)),
        (_("Pairs of answers"), arena.pairs.count()),
        (_("Votes"), _("%(cast)d of %(asked)d") % {"cast": len(cast), "asked": _asked(turns, cast)}),
        (_("Both bad"), sum(vote.both_bad for vote in cast)),
        (
            _("The first checkpoint's answer shown first"),
            _share(sum(vote.left_shown_first for vote in cast), len(cast)),
        ),
        (_("The answer shown first won"), _share(*_first_won(cast))),
        (_("Error rate"), f"{100 * arena.error_rate:g} %"),
    ]
    return [*facts, (_("Why it ended"), _why(arena))] if arena.why_stopped else facts


def _why(arena: Arena) -> str:
    if (entry := arena.unanswered) is None:
        return arena.get_why_stopped_display()
    words = _("%(run)s did not succeed, so %(checkpoint)s has no answers.")
    return words % {"run": entry.run, "checkpoint": entry.checkpoint}


def _asked(turns: AssignmentQuerySet, cast: Sequence[CastVote]) -> int:
    """What was cast, and what is still asked for."""
    return len(cast) + turns.exclude(status=Assignment.Status.SUBMITTED).count()


def _first_won(cast: Sequence[CastVote]) -> tuple[int, int]:
    """How often, of the votes that are no ties: about half, unless labelers favour a place."""
    decided = [vote for vote in cast if vote.outcome]
    return sum((vote.outcome > 0) == vote.left_shown_first for vote in decided), len(decided)


def _duel(one: Checkpoint, other: Checkpoint, verdict: Verdict, cast: Sequence[CastVote]) -> dict[str, Any]:
    mine = [
        vote.outcome
        for vote in cast
        if (vote.pair.left.checkpoint_id, vote.pair.right.checkpoint_id) == (one.pk, other.pk)
    ]
    told = Counter(mine)
    better = {1: one, -1: other}.get(verdict.leader)
    return {
        "one": one,
        "other": other,
        "wins": told[1],
        "ties": told[0],
        "losses": told[-1],
        "rate": _percent((told[1] + told[0] / 2) / len(mine)) if mine else "–",
        "interval": f"{_percent(verdict.low)} – {_percent(verdict.high)}" if mine else "–",
        "e_value": f"{verdict.e_value:.3g}",
        "needed": f"{1 / verdict.error:.3g}",
        "better": better if verdict.is_decided else None,
    }


def _scores(cast: Sequence[CastVote], checkpoints: dict[int, Checkpoint]) -> list[dict[str, Any]]:
    found = fit(as_tournament_votes(cast), list(checkpoints))
    best_first = sorted(checkpoints, key=lambda pk: -found.scores[pk])
    return [
        {
            "checkpoint": link_to(checkpoints[pk]),
            "score": f"{found.scores[pk]:+.2f}",
            "interval": "{:+.2f} … {:+.2f}".format(*found.interval(pk)),
        }
        for pk in best_first
    ]


def _controlled(cast: Sequence[CastVote], checkpoints: dict[int, Checkpoint]) -> list[dict[str, Any]]:
    """By pair: what one wins of votes against the other as they were, and as they would be of answers of one
    length, or of one style."""
    fits = [
        fit(as_tournament_votes(cast, style), list(checkpoints))
        for style in (None, partial(style_difference, only_length=True), style_difference)
    ]
    met = {(vote.pair.left.checkpoint_id, vote.pair.right.checkpoint_id) for vote in cast}
    return [
        {
            "pair": listed([checkpoints[one], checkpoints[other]]),
            "rates": [_with_interval(*found.win_rate(one, other)) for found in fits],
        }
        for one, other in sorted(met)
    ]


def _with_interval(rate: float, low: float, high: float) -> str:
    return f"{_percent(rate)} ({_percent(low)} – {_percent(high)})"


def _share(count: int, of: int) -> str:
    return _percent(count / of) if of else "–"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
