from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dsar", "0065_who_found_it_not_shown")]

    operations = [
        migrations.AddField(model_name="kept", name="found_later", field=models.BooleanField(default=False)),
    ]
