import uuid

from django.db import migrations, models
from django.db.models import OuterRef, Subquery

BATCH = 1000


def fill(apps, schema_editor):
    Assignment = apps.get_model("annotation", "Assignment")
    language = Subquery(
        apps.get_model("annotation", "CandidateSet")
        .objects.filter(pk=OuterRef("candidate_set"))
        .values("prompt__language")[:1]
    )
    Assignment.objects.update(language=language)
    while batch := list(Assignment.objects.filter(key__isnull=True).order_by("pk")[:BATCH]):
        for assignment in batch:
            assignment.key = uuid.uuid4()
        Assignment.objects.bulk_update(batch, ["key"])


class Migration(migrations.Migration):
    # PostgreSQL does not alter a table in the transaction that filled it.
    atomic = False

    dependencies = [("annotation", "0002_trusted_judgements")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="assignment",
            name="key",
            field=models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name="key"),
        ),
    ]
