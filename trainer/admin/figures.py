"""The figures that a run ends with, in words for whoever started it."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from trainer.admin.base import Facts
from trainer.admin.health import VERDICTS

WORDS = {
    "demonstrations": _("Demonstrations learned from"),
    "left_out": _("Left out, being too long"),
    "loss": _("Loss at the last step, in nats per token"),
    "held_out_loss": _("Loss on held-out demonstrations"),
    "comparisons": _("Comparisons learned from"),
    "train_accuracy": _("Right about comparisons it learned from"),
    "held_out_accuracy": _("Right about held-out comparisons"),
    "held_out_comparisons": _("Held-out comparisons"),
    "tie_chance": _("Chance that two equally good answers are called a tie"),
    "score": _("Mean score by the reward model, where its own data has mean 0"),
    "ref_kl": _("Drift from where it started (ref_kl), in nats per answer"),
    "mean_length": _("Mean length of an answer, in tokens"),
    "finished_share": _("Answers that it ended by itself"),
    "best_of_kl": _("Drift by choosing the best of several answers, at most, in nats per answer"),
    "holdout_score": _("Mean score by the hold-out reward"),
    "refusal_rate": _("Answers that refuse"),
    "repetition_rate": _("4-grams that an answer has used before"),
    "distinct_2": _("Different pairs of words among all pairs"),
    "perplexity": _("Perplexity on held-out demonstrations"),
    "steps": _("Iterations"),
    "completions": _("Answers sampled"),
    "usable": _("Items that can be used"),
    "unparseable": _("Replies that are not in the form asked for"),
    "cut": _("Replies that were cut at the length limit"),
    "empty": _("Replies that said nothing"),
    "declined": _("Items that the model did not take"),
    "disagreement": _("Left out: the two orders differ"),
    "not_asked": _("Not asked any more"),
    "ended_early": _("It ended early"),
    "requests": _("Requests that were answered"),
    "tokens": _("Tokens read and written"),
    "prompts": _("New prompts"),
    "alike": _("Left out: too like another prompt"),
    "consistency": _("Pairs on which the two orders agree"),
    "agreement_with_people": _("Pairs ordered as people's consensus does"),
    "judge_win_rate": _("Answers that the judge prefers to the baseline's, ties half"),
    "judge_win_rate_low": _("Lower end of its interval"),
    "judge_win_rate_high": _("Upper end of its interval"),
    "judge_prompts": _("Prompts that the judge compared"),
    "judge_ties": _("Of these no preference, or another one on each side"),
    "judge_failed": _("The judge compared nothing"),
    "judge_unusable": _("Replies of the judge that cannot be used"),
    "guideline_version": _("Version of the guideline that the judge read"),
    "guideline_left_out": _("Characters at its end that were too many to read"),
    "leaning": _("Leaning to what is shown first (1) or last (−1)"),
    "score_win_rate": _("Share of answers that score higher than the original's"),
    "win_rate": _("Share of an arena's votes that it wins, ties half"),
    "win_rate_low": _("Lower end of an arena's interval for the win rate"),
    "win_rate_high": _("Upper end of an arena's interval for the win rate"),
    "e_value": _("Evidence of an arena that one is better (e-value)"),
    "arena_votes": _("Votes in an arena"),
    "arena_ties": _("Ties in an arena"),
    "health": _("Health"),
}
SHARES = {
    "train_accuracy",
    "held_out_accuracy",
    "tie_chance",
    "finished_share",
    "refusal_rate",
    "repetition_rate",
    "distinct_2",
    "score_win_rate",
    "win_rate",
    "consistency",
    "agreement_with_people",
    "judge_win_rate",
    "judge_win_rate_low",
    "judge_win_rate_high",
    "win_rate_low",
    "win_rate_high",
}
COMPARED = {
    "size_mb": _("Size on disk, in MB"),
    "peak_memory_mb": _("Most memory of a process that answers, in MB"),
    "tokens_per_second": _("Tokens a second, one answer at a time"),
    "perplexity": _("Perplexity on held-out demonstrations"),
    "token_accuracy": _("Held-out tokens that are its likeliest"),
    "score": _("Mean score by the reward model"),
}
"""What a compression is measured by, before and after."""


def in_words(summary: Mapping[str, Any]) -> Facts:
    return [
        (WORDS.get(name, name), shown(name, value))
        for name, value in summary.items()
        if not isinstance(value, list)
    ]


def label_of(name: str) -> str:
    """The name as rules and files have it, and what it is."""
    return _("%(name)s: %(words)s") % {"name": name, "words": WORDS[name]} if name in WORDS else name


def compared(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Before and after, of a run that has compressed something."""
    return [{**row, "label": COMPARED.get(row["name"], row["name"])} for row in summary.get("compared", [])]


def shown(name: str, value: Any) -> Any:
    if name == "health":
        return VERDICTS.get(value["verdict"], value["verdict"])
    if value is None:
        return _("unknown: there was nothing held out, or it was no number")
    return f"{100 * value:.1f} %" if name in SHARES and isinstance(value, int | float) else value
