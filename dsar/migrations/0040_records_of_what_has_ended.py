"""Requests that ended before there was a log get their record from what is known of them: without it the measures of the
year would miss them."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import migrations

WITH_BASIS = ("denied", "granted_in_part", "not_proven", "referred")
BATCH = 500


def note(apps, _schema_editor):
    """A record of each request of a case that has not been purged."""
    record = apps.get_model("dsar", "RequestRecord")
    ended = apps.get_model("dsar", "PrivacyRequest").objects.filter(
        ended_at__isnull=False, case__purged_at__isnull=True
    ).select_related("case").prefetch_related("decisions").order_by("pk")
    made = []
    for request in ended.iterator(chunk_size=BATCH):
        california = request.case.regime == "us_ca_ccpa"
        zone = ZoneInfo("America/Los_Angeles" if california else settings.TIME_ZONE_OF_REGIME)
        received_on = request.received_at.astimezone(zone).date()
        answered_on = request.ended_at.astimezone(zone).date()
        grounds = {f"{one.code} {one.citation}" for one in request.decisions.all() if one.code and one.citation}
        made.append(
            record(
                request_id=request.pk, regime=request.case.regime, regime_version=request.case.regime_version,
                right=request.right, take_back=request.take_back, channel=request.case.channel,
                received_on=received_on, answered_on=answered_on, outcome=request.outcome,
                basis="\n".join(sorted(grounds)) if request.outcome in WITH_BASIS else "",
                days=max(0, (answered_on - received_on).days), extended=request.extended_at is not None,
                late=request.due_on is not None and answered_on > request.due_on,
                keep_until=answered_on + timedelta(days=(2 if california else 3) * 366),
            )
        )
        if len(made) >= BATCH:
            record.objects.bulk_create(made)
            made = []
    record.objects.bulk_create(made)


class Migration(migrations.Migration):

    dependencies = [
        ('dsar', '0039_request_records'),
    ]

    operations = [migrations.RunPython(note, migrations.RunPython.noop)]
