"""The day of an answer that was given before the leaving of its letter was noted, from the letter itself: what lies in the
tray or could not be sent has not answered; and what an upheld appeal began anew is received once."""

from django.db import migrations
from django.db.models import Exists, OuterRef, Q

# dsar/notices.py, ANSWERS.
ANSWERS = (
    "done_erased", "done_copy", "done_know", "done_corrected", "done_objection", "done_restricted", "done_choice",
    "done_reviewed", "nothing_held", "refused", "referred", "not_proven", "unanswered", "dispute_founded",
)
GUARDS = (("record_update", "dsar_requestrecord"), ("request_final", "dsar_privacyrequest"))
BATCH = 500


def correct(apps, schema_editor):
    """Write the days anew. The guards that hold them fast go first; they are put back after every migrate."""
    for name, table in GUARDS:
        place = f" ON {table}" if schema_editor.connection.vendor == "postgresql" else ""
        schema_editor.execute(f"DROP TRIGGER IF EXISTS guard_{name}{place}")
    requests, records, messages, appeals = (
        apps.get_model("dsar", name).objects for name in ("PrivacyRequest", "RequestRecord", "Message", "Appeal")
    )
    letters = messages.filter(notice__in=ANSWERS)
    of_this = letters.filter(request=OuterRef("pk"))
    # Nobody can say any more of what is purged how it reached the person, and nobody can send it.
    found = requests.filter(Exists(of_this), ended_at__isnull=False, answered_on__isnull=False).filter(
        Q(Exists(of_this.filter(status="sent", sent_at__isnull=False))) | Q(case__purged_at__isnull=True)
    )
    for request in found.select_related("case").order_by("pk").iterator(chunk_size=BATCH):
        left = letters.filter(request=request, status="sent", sent_at__isnull=False).order_by("sent_at").first()
        day = _day(request.case, max(left.sent_at, request.ended_at)) if left else None
        if day != request.answered_on:
            requests.filter(pk=request.pk).update(answered_on=day)
        record = records.filter(request_id=request.pk).first()
        if record and day != record.answered_on:
            _rewrite(records, record, request, day)
    records.filter(request_id__in=appeals.filter(opened__isnull=False).values("opened")).update(begun_anew=True)


def _rewrite(records, record, request, day):
    late = day is not None and not request.paused_reason and request.due_on is not None and day > request.due_on
    days = None if day is None else max(0, (day - record.received_on).days)
    longer = day - record.answered_on if day and record.answered_on and day > record.answered_on else None
    keep_until = record.keep_until + longer if longer else record.keep_until
    records.filter(pk=record.pk).update(answered_on=day, days=days, late=late, keep_until=keep_until)


def _day(case, moment):
    """The day in the zone of the law."""
    from dsar import deadlines
    from dsar.law import regimes

    return deadlines.received_on(regimes.load(case.regime, case.regime_version or None), moment)


class Migration(migrations.Migration):

    dependencies = [
        ('dsar', '0067_left_undone_by_two'),
    ]

    operations = [migrations.RunPython(correct, migrations.RunPython.noop)]
