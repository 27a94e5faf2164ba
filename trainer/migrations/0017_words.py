"""What happened is kept as codes and numbers; it was kept in the language of whoever acted."""

import re

import django.db.models.deletion
from django.db import migrations, models

WHY_STOPPED = {
    "Somebody stopped it.": "by_hand",
    "有人停止了它。": "by_hand",
    "All votes are in, and they name no winner.": "no_winner",
    "票已全部投完，未能分出胜者。": "no_winner",
}
BOUNDS = {"at least": "at_least", "至少": "at_least", "at most": "at_most", "至多": "at_most"}
RULE = re.compile(rf"(\S+) ({'|'.join(BOUNDS)}) (\S+)")
AGAIN = re.compile(r"(?:It answered before: promotion |它以前服务过：启用记录 )([\d,. ]+?)[.。]")


def why(text):
    """The third reason named a run and a checkpoint."""
    return text and WHY_STOPPED.get(text, "no_answers")


def figures(told):
    """Whatever has another form is left as it is, and is shown so."""
    kept = {**told, "gate": [_rule(one) for one in told.get("gate", [])]}
    if found := AGAIN.fullmatch(told.get("reason", "")):
        del kept["reason"]
        kept["again"] = int(re.sub(r"\D", "", found[1]))
    return kept


def _rule(one):
    found = RULE.fullmatch(one.get("rule", ""))
    if not found:
        return one
    more = {name: value for name, value in one.items() if name != "rule"}
    return {"figure": found[1], "bound": BOUNDS[found[2]], "value": float(found[3]), **more}


def put_into_codes(apps, schema_editor):
    entries = apps.get_model("trainer", "ArenaEntry").objects
    arenas = apps.get_model("trainer", "Arena").objects
    for arena in arenas.exclude(why_stopped=""):
        code = why(arena.why_stopped)
        lost = entries.filter(arena=arena, run__status__in=["FAILED", "CANCELLED"]).order_by("pk").first()
        unanswered = lost if code == "no_answers" else None
        arenas.filter(pk=arena.pk).update(why_stopped=code, unanswered=unanswered)
    promotions = apps.get_model("trainer", "Promotion").objects
    for promotion in promotions.exclude(figures={}):
        promotions.filter(pk=promotion.pk).update(figures=figures(promotion.figures))


class Migration(migrations.Migration):
    dependencies = [("trainer", "0016_rehearsal")]

    operations = [
        migrations.AddField(
            model_name="arena",
            name="unanswered",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="trainer.arenaentry",
                verbose_name="the entry without answers",
            ),
        ),
        migrations.RunPython(put_into_codes, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="arena",
            name="why_stopped",
            field=models.CharField(
                blank=True,
                choices=[
                    ("by_hand", "Somebody stopped it."),
                    ("no_winner", "All votes are in, and they name no winner."),
                    ("no_answers", "A checkpoint has no answers."),
                ],
                default="",
                max_length=10,
                verbose_name="why it was stopped",
            ),
        ),
    ]
