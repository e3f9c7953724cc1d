"""A reason that may not be told belongs to the decision that has it: each finds its own. A row that may be told after all
can be put back into its copy."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

KEPT = Q(kind="kept", redaction__isnull=True, decision__isnull=True) & ~Q(source="") & ~Q(code="")
ROW = Q(kind="row", decision__isnull=True) & (Q(redaction__isnull=False) | Q(ended_at__isnull=False))
REFUSAL = Q(kind="refusal", redaction__isnull=True, decision__isnull=False)


def find(apps, _schema_editor):
    """A refusal was decided when and by whom it was proposed, and so was its silence; a renewal has that of what it renews."""
    silences = apps.get_model("dsar", "NonDisclosure").objects
    for one in silences.filter(kind="refusal").order_by("pk"):
        decided = one.request.decisions.filter(kind__in=["refuse", "narrow"]).order_by("-pk")
        found = decided.filter(decided_at=one.first_at, decided_by=one.first_by_id).first()
        if one.renews_id:
            found = silences.get(pk=one.renews_id).decision
        silences.filter(pk=one.pk).update(decision=found or decided.first())


class Migration(migrations.Migration):

    dependencies = [
        ('dsar', '0063_refused_fields_confirmed'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='nondisclosure',
            name='non_disclosure_of_something',
        ),
        migrations.AddField(
            model_name='nondisclosure',
            name='decision',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='non_disclosures', to='dsar.decision'),
        ),
        migrations.RunPython(find, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='nondisclosure',
            name='redaction',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='non_disclosures', to='dsar.redaction'),
        ),
        migrations.AddConstraint(
            model_name='nondisclosure',
            constraint=models.CheckConstraint(condition=KEPT | ROW | REFUSAL, name='non_disclosure_of_something'),
        ),
    ]
