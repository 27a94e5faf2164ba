import django.db.models.deletion
from django.db import migrations, models


def name_campaigns(apps, schema_editor):
    """Of the run that measured, or of the arena that was decided."""
    evaluations = apps.get_model("trainer", "Evaluation").objects.select_related("run")
    arenas = apps.get_model("trainer", "Arena").objects
    for evaluation in evaluations.iterator():
        if evaluation.run_id:
            evaluation.campaign_id = evaluation.run.campaign_id
        else:
            arena = arenas.filter(pk=evaluation.figures.get("arena")).first()
            evaluation.campaign_id = arena and arena.campaign_id
        if evaluation.campaign_id:
            evaluation.save(update_fields=["campaign"])
        else:  # of nobody's prompts: no rule can ask for it
            evaluation.delete()


class Migration(migrations.Migration):
    dependencies = [("annotation", "0014_people"), ("trainer", "0011_several_nodes")]

    operations = [
        migrations.AddField(
            model_name="evaluation",
            name="campaign",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="evaluations",
                to="annotation.campaign",
            ),
        ),
        migrations.RunPython(name_campaigns, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="evaluation",
            name="campaign",
            field=models.ForeignKey(
                help_text="Whose prompts it was measured on.",
                on_delete=django.db.models.deletion.CASCADE,
                related_name="evaluations",
                to="annotation.campaign",
                verbose_name="campaign",
            ),
        ),
    ]
