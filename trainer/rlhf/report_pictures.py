"""The reward model's report as a file and three small pictures, in plain SVG."""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

from trainer.rlhf.reward_report import ScoredRanking

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 480, 320, 56, 44, 32, 16
MOST_POINTS = 2000

Range = tuple[float, float]
Place = Callable[[float, float], tuple[float, float]]


def report_files(report: dict[str, Any], rankings: Sequence[ScoredRanking]) -> dict[str, str]:
    """``report.json`` and its pictures, by file name."""
    return {"report.json": json.dumps(report, indent=2, allow_nan=False), **pictures(report, rankings)}


def pictures(report: dict[str, Any], rankings: Sequence[ScoredRanking]) -> dict[str, str]:
    """SVG by file name. A picture without anything to show is left out."""
    found = {
        "accuracy-by-rank-distance.svg": accuracy_picture(report["accuracy_by_rank_distance"]),
        "reliability.svg": reliability_picture(report["calibration"]["bins"]),
        "score-by-length.svg": length_picture(rankings),
    }
    return {name: picture for name, picture in found.items() if picture}


def accuracy_picture(figures: Sequence[dict[str, Any]]) -> str:
    if not figures:
        return ""
    furthest = figures[-1]["distance"]
    x, y = (0.5, furthest + 0.5), (0.0, 1.0)
    place = _places(x, y)
    marks = [_line(place, (x[0], 0.5), (x[1], 0.5), dashed=True)]
    for at in figures:
        marks.append(_line(place, (at["distance"], at["low"]), (at["distance"], at["high"])))
        marks.append(_dot(place, at["distance"], at["value"], 4))
    labels = ("Accuracy by rank distance", "tiers apart", "accuracy, 95 % interval")
    return _picture(labels, x, y, [at["distance"] for at in figures], marks)


def reliability_picture(bins: Sequence[dict[str, Any]]) -> str:
    if not bins:
        return ""
    x, y = (0.5, 1.0), (0.0, 1.0)
    place = _places(x, y)
    most = max(part["comparisons"] for part in bins)
    marks = [_line(place, (0.5, 0.5), (1, 1), dashed=True)]
    marks += [
        _dot(place, part["confidence"], part["accuracy"], 2 + 6 * (part["comparisons"] / most) ** 0.5)
        for part in bins
    ]
    labels = ("Reliability", "probability of the favoured completion", "share that it won")
    return _picture(labels, x, y, [0.5, 0.6, 0.7, 0.8, 0.9, 1.0], marks)


def length_picture(rankings: Iterable[ScoredRanking]) -> str:
    sets = {ranking.candidate_set_id: ranking for ranking in rankings}.values()
    points = [(one.lengths[key], one.scores[key]) for one in sets for key in one.scores]
    if not points:
        return ""
    points = points[:: 1 + len(points) // MOST_POINTS]
    x, y = _around(tokens for tokens, _ in points), _around(score for _, score in points)
    place = _places(x, y)
    labels = ("Score by length", "tokens of the completion", "raw score")
    return _picture(labels, x, y, _ticks(x), [_dot(place, tokens, score, 2) for tokens, score in points])


def curve_picture(points: Sequence[dict[str, Any]]) -> str:
    """Scores against √KL: the larger dots are the reward's, the smaller the hold-out's."""
    if not points:
        return ""
    lines = [name for name in ("score", "holdout_score") if name in points[0]]
    x = (0.0, points[-1]["sqrt_kl"] * 1.05)
    y = _around(point[name] for point in points for name in lines)
    place = _places(x, y)
    marks = []
    for name in lines:
        places = [(point["sqrt_kl"], point[name]) for point in points]
        dashed = name == "holdout_score"
        marks += [_line(place, *ends, dashed=dashed) for ends in zip(places, places[1:], strict=False)]
        marks += [_dot(place, *at, 3 if dashed else 5) for at in places]
    labels = ("Over-optimisation", "√KL of the best of n, in √nats", "mean score (dashed: hold-out)")
    return _picture(labels, x, y, _ticks(x), marks)


def _picture(
    labels: tuple[str, str, str], x: Range, y: Range, x_ticks: Sequence[float], marks: Sequence[str]
) -> str:
    place = _places(x, y)
    title, below, beside = (escape(label) for label in labels)
    middle = (HEIGHT - BOTTOM + TOP) / 2
    axes = [_line(place, (x[0], y[0]), (x[1], y[0])), _line(place, (x[0], y[0]), (x[0], y[1]))]
    numbers = [_text(place(tick, y[0])[0], HEIGHT - BOTTOM + 16, f"{tick:.4g}") for tick in x_ticks]
    numbers += [_text(LEFT - 20, place(x[0], tick)[1] + 4, f"{tick:.3g}") for tick in _ticks(y)]
    words = [
        _text(WIDTH / 2, 20, title),
        _text(WIDTH / 2, HEIGHT - 10, below),
        f'<g transform="rotate(-90 12 {middle:g})">{_text(12, middle, beside)}</g>',
    ]
    body = "\n".join([*axes, *numbers, *words, *marks])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{title}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n{body}\n</svg>\n'
    )


def _places(x: Range, y: Range) -> Place:
    def place(at_x: float, at_y: float) -> tuple[float, float]:
        across = (at_x - x[0]) / (x[1] - x[0])
        up = (at_y - y[0]) / (y[1] - y[0])
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - BOTTOM - TOP)

    return place


def _line(place: Place, start: Range, end: Range, *, dashed: bool = False) -> str:
    (x1, y1), (x2, y2) = place(*start), place(*end)
    dashes = ' stroke-dasharray="4 4"' if dashed else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#667"{dashes}/>'


def _dot(place: Place, at_x: float, at_y: float, radius: float) -> str:
    x, y = place(at_x, at_y)
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="#2463eb" fill-opacity="0.7"/>'


def _text(x: float, y: float, words: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" fill="#223">{words}</text>'


def _around(values: Iterable[float]) -> Range:
    found = list(values)
    low, high = min(found), max(found)
    room = 0.05 * (high - low) or 1.0
    return low - room, high + room


def _ticks(span: Range) -> list[float]:
    """At most six round numbers within the span."""
    room = (span[1] - span[0]) / 5
    power = 10.0 ** math.floor(math.log10(room))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= room)
    return [step * number for number in range(math.ceil(span[0] / step), math.floor(span[1] / step) + 1)]
