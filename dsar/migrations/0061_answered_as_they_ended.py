"""Requests that ended before the day of leaving was noted were answered, as far as anybody knows, when they ended."""

from django.db import migrations
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce, TruncDate


def note(apps, _schema_editor):
    """The day in the log, and the day of the end where the log has none any more."""
    noted = apps.get_model("dsar", "RequestRecord").objects.filter(request_id=OuterRef("pk")).values("answered_on")[:1]
    ended = apps.get_model("dsar", "PrivacyRequest").objects.filter(ended_at__isnull=False, answered_on__isnull=True)
    ended.update(answered_on=Coalesce(Subquery(noted), TruncDate("ended_at")))


class Migration(migrations.Migration):

    dependencies = [
        ('dsar', '0060_answers_that_left'),
    ]

    operations = [migrations.RunPython(note, migrations.RunPython.noop)]
