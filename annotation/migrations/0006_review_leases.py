import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('annotation', '0005_bookmarks'),
    ]

    operations = [
        migrations.AddField(
            model_name='demonstration',
            name='review_expires_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='review lease expires'),
        ),
        migrations.AddField(
            model_name='demonstration',
            name='reviewer',
            field=models.ForeignKey(blank=True, help_text='Who looks at it now.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='reviewer'),
        ),
        migrations.AddIndex(
            model_name='demonstration',
            index=models.Index(condition=models.Q(('status', 'SUBMITTED')), fields=['submitted_at', 'id'], name='demonstration_next_to_review'),
        ),
        migrations.AddConstraint(
            model_name='demonstration',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('review_expires_at__isnull', True), ('reviewer__isnull', True)), models.Q(('review_expires_at__isnull', False), ('reviewer__isnull', False), ('status', 'SUBMITTED')), _connector='OR'), name='demonstration_reviewed_only_while_submitted'),
        ),
    ]
