"""What a format keeps: what our writers write and our readers read, and docs/formats.md tells."""

import io
import json
import re
from pathlib import Path

import pytest

from annotation.actions.imports import import_items
from annotation.formats import READERS
from annotation.formats.containers import folder_rows, json_rows
from annotation.models import Campaign, CandidateSet, Demonstration, Prompt, Ranking
from tests.conftest import NOON
from trainer.actions.snapshots import freeze_snapshot
from trainer.exports import FORMATS, export_snapshot

DOC = Path(__file__).resolve().parents[3] / "docs" / "formats.md"
READERS_IN_THE_DOC = DOC.read_text(encoding="utf-8").split("\n## Readers\n")[1]

TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "How do I make soup?"},
    {"role": "assistant", "content": "Which one?"},
    {"role": "user", "content": "=Any+one,\n“please”!"},
]
SOUP = {
    "prompt": TALK,
    "kind": "question",
    "language": "fr",
    "source": "cookbook:7",
    "responses": [
        {"id": 1, "text": "Boil it."},
        {"id": 2, "text": "-Fry it.\n"},
        {"id": 3, "text": "Burn it."},
    ],
    "rankings": [
        {
            "rater": "ada",
            "groups": [[2], [1]],
            "unacceptable": [3],
            "strength": 2,
            "ratings": [{"id": 1, "axis": "helpfulness", "rating": 7}],
            "flags": [{"id": 3, "flag": "dangerous"}],
            "spans": [{"id": 3, "start": 0, "end": 4, "flag": "dangerous"}],
            "rationale": "It burns.",
            "edited": {"id": 2, "text": "Fry it slowly."},
            "display_order": [3, 1, 2],
            "seconds": 41.5,
            "tstamp": 1_700_000_000.5,
        },
        {"rater": "ben", "groups": [[2, 1], [3]]},
        {"rater": "chen", "cannot_judge": "I do not cook."},
    ],
}
ANSWER = [
    {"role": "assistant", "content": "Boil it."},
    {"role": "user", "content": "How long?"},
    {"role": "assistant", "content": "An hour."},
]


def load(campaign, format_name, rows):
    items = READERS[format_name](rows)
    return import_items(campaign=campaign, items=items, format_name=format_name, now=NOON)


@pytest.fixture
def origin(db):
    campaign = Campaign.objects.create(name="Origin", overlap=3, held_out_percent=0)
    load(campaign, "listwise", json_rows(as_file(SOUP)))
    load(campaign, "trl-prompt-completion", json_rows(as_file({"prompt": TALK, "completion": ANSWER})))
    return campaign


def as_file(row):
    return io.StringIO(json.dumps(row))


@pytest.fixture
def carry(origin, tmp_path):
    """Writes the first campaign and reads it into another one, which is returned."""

    def write_and_read(kind, format_name, container="", start=origin):
        name = f"{format_name}-{container}-{start.pk}"
        snapshot = freeze_snapshot(campaign=start, kind=kind, created_by=None, now=NOON)
        export_snapshot(snapshot, format_name, tmp_path / name, container)
        campaign = Campaign.objects.create(name=name, overlap=3, held_out_percent=0)
        load(campaign, format_name, folder_rows(tmp_path / name))
        return campaign

    return write_and_read


def judgements(campaign):
    """Every ranking by texts, without who and where."""
    told = []
    for ranking in Ranking.objects.filter(assignment__campaign=campaign):
        text = dict(ranking.assignment.candidate_set.completions.values_list("pk", "text"))
        told.append(
            {
                "prompt": ranking.assignment.candidate_set.prompt.messages,
                "tiers": [sorted(text[pk] for pk in tier) for tier in ranking.tiers],
                "unacceptable": sorted(text[pk] for pk in ranking.unacceptable),
                "cannot judge": ranking.cannot_judge,
                "strength": ranking.strength,
                "ratings": {text[int(pk)]: rating for pk, rating in ranking.ratings.items()},
                "flags": {text[int(pk)]: flags for pk, flags in ranking.flags.items()},
                "spans": {text[int(pk)]: spans for pk, spans in ranking.spans.items()},
                "rationale": ranking.rationale,
                "edited": ranking.edited and (text[ranking.edited["id"]], ranking.edited["text"]),
                "shown order": [text[pk] for pk in ranking.shown_order],
                "seconds": ranking.seconds_spent,
                "submitted": ranking.submitted_at.timestamp(),
            }
        )
    return sorted(told, key=lambda one: json.dumps(one, sort_keys=True))


RANKINGS = {
    "better and worse": lambda told, _: any(is_above(one, "-Fry it.", "Boil it.") for one in told),
    "all answers of a ranking together": lambda told, _: any(
        len(one["tiers"]) + len(one["unacceptable"]) == 3 for one in told
    ),
    "ties": lambda told, _: any(len(tier) > 1 for one in told for tier in one["tiers"]),
    "unacceptable": lambda told, _: any(one["unacceptable"] == ["Burn it."] for one in told),
    "cannot judge": lambda told, _: any(one["cannot judge"] == "I do not cook." for one in told),
    "several raters": lambda told, campaign: (
        Ranking.objects.filter(assignment__campaign=campaign).values("labeler").distinct().count() > 1
    ),
    "strength": lambda told, _: any(one["strength"] == 2 for one in told),
    "ratings": lambda told, _: any(one["ratings"] == {"Boil it.": {"helpfulness": 7}} for one in told),
    "flags": lambda told, _: any(one["flags"] == {"Burn it.": ["dangerous"]} for one in told),
    "passages": lambda told, _: any(
        one["spans"] == {"Burn it.": [{"start": 0, "end": 4, "flag": "dangerous"}]} for one in told
    ),
    "rationale": lambda told, _: any(one["rationale"] == "It burns." for one in told),
    "edited answer": lambda told, _: any(one["edited"] == ("-Fry it.\n", "Fry it slowly.") for one in told),
    "shown order": lambda told, _: any(one["shown order"][:2] == ["Burn it.", "Boil it."] for one in told),
    "seconds spent": lambda told, _: any(one["seconds"] == 41.5 for one in told),
    "when it was submitted": lambda told, _: any(one["submitted"] == 1_700_000_000.5 for one in told),
    "white space around texts": lambda told, _: any("-Fry it.\n" in one["shown order"] for one in told),
    "system message": lambda told, campaign: has_system_message(campaign),
    "kind": lambda told, campaign: campaign.prompts.filter(kind="question").exists(),
    "language": lambda told, campaign: campaign.prompts.filter(language="fr").exists(),
    "source": lambda told, campaign: campaign.prompts.filter(source="cookbook:7").exists(),
}
DEMONSTRATIONS = {
    "all turns together": lambda campaign: ANSWER in [turns[-3:] for turns in turns_of(campaign)],
    "where the prompt ends": lambda campaign: (
        TALK[1:] in [dialogue(prompt.messages) for prompt in campaign.prompts.all()]
    ),
    "system message": lambda campaign: has_system_message(campaign),
    "kind": lambda campaign: campaign.prompts.filter(kind="question").exists(),
    "language": lambda campaign: campaign.prompts.filter(language="fr").exists(),
}


def is_above(judgement, one, other):
    tiers = [*judgement["tiers"], judgement["unacceptable"]]
    place = {text.strip(): level for level, tier in enumerate(tiers) for text in tier}
    return {one, other} <= set(place) and place[one] < place[other]


def dialogue(messages):
    return [message for message in messages if message["role"] != "system"]


def turns_of(campaign):
    return list(Demonstration.objects.filter(prompt__campaign=campaign).values_list("turns", flat=True))


def has_system_message(campaign):
    return any(prompt.messages[0]["role"] == "system" for prompt in campaign.prompts.all())


def table(heading):
    """``{format: {fact: kept}}`` of the table below a heading of the doc."""
    part = READERS_IN_THE_DOC.split(f"### {heading}\n")[1].split("\n#")[0]
    head, _line, *rows = [
        [cell.strip().strip("`") for cell in line.strip("|\n ").split("|")]
        for line in part.splitlines()
        if line.startswith("|")
    ]
    return {name: {row[0]: row[place] == "yes" for row in rows} for place, name in enumerate(head) if place}


def names(kind):
    return [name for name, format in FORMATS.items() if kind in format.kinds and name in READERS]


class TestTheDoc:
    @pytest.mark.parametrize("name", names("rankings"))
    def test_tells_what_is_kept_of_rankings(self, carry, name):
        campaign = carry("rankings", name)

        told = judgements(campaign)
        assert told
        assert {fact: kept(told, campaign) for fact, kept in RANKINGS.items()} == table("Rankings")[name]

    @pytest.mark.parametrize("name", names("demonstrations"))
    def test_tells_what_is_kept_of_demonstrations(self, carry, name):
        campaign = carry("demonstrations", name)

        assert turns_of(campaign)
        kept = {fact: is_kept(campaign) for fact, is_kept in DEMONSTRATIONS.items()}
        assert kept == table("Demonstrations")[name]

    def test_has_every_format_that_is_written_and_read(self):
        assert sorted(table("Rankings")) == sorted(names("rankings"))
        assert sorted(table("Demonstrations")) == sorted(names("demonstrations"))

    def test_names_every_format_that_is_read(self):
        named = re.findall(r"^\| `([\w-]+)` \|", READERS_IN_THE_DOC, re.MULTILINE)

        assert sorted(READERS) == sorted(named)


class TestListwise:
    @pytest.mark.parametrize("container", FORMATS["listwise"].containers)
    def test_loses_nothing_that_people_said(self, origin, carry, container):
        assert judgements(carry("rankings", "listwise", container)) == judgements(origin)

    def test_loses_nothing_the_second_time_either(self, origin, carry):
        once = carry("rankings", "listwise")

        assert judgements(carry("rankings", "listwise", start=once)) == judgements(origin)


class TestEveryFormat:
    @pytest.mark.parametrize(
        ("kind", "name"),
        [(kind, name) for kind in ("rankings", "demonstrations", "prompts") for name in names(kind)],
    )
    def test_loses_nothing_after_the_first_time(self, carry, kind, name):
        once = carry(kind, name)

        twice = carry(kind, name, start=once)

        assert judgements(twice) == judgements(once)
        assert sorted(map(json.dumps, turns_of(twice))) == sorted(map(json.dumps, turns_of(once)))

    @pytest.mark.parametrize("name", names("rankings"))
    def test_says_the_same_in_every_container(self, carry, name):
        told = [judgements(carry("rankings", name, container)) for container in FORMATS[name].containers]

        assert all(one == told[0] for one in told)

    def test_keeps_prompts(self, origin, carry):
        def messages(campaign):
            return list(Prompt.objects.filter(campaign=campaign).values_list("messages", flat=True))

        assert messages(carry("prompts", "trl-prompt-only")) == messages(origin)
        assert CandidateSet.objects.filter(prompt__campaign=origin).count() == 1
