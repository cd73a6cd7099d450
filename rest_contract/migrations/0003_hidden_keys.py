"""Keep of each key a keyed hash alone: callers make keys of names and addresses too."""

from django.db import migrations, models

from rest_contract.idempotency import hidden


def hide(apps, schema_editor):
    keys = apps.get_model("rest_contract", "IdempotencyKey").objects.all()
    rows = list(keys.only("pk", "key"))
    for row in rows:
        row.key = hidden(row.key)
    keys.model.objects.bulk_update(rows, ["key"], batch_size=1000)


class Migration(migrations.Migration):
    dependencies = [("rest_contract", "0002_answers_to_the_letter")]

    operations = [
        migrations.RunPython(hide, migrations.RunPython.noop),
        migrations.AlterField(
            "idempotencykey",
            "key",
            models.CharField(max_length=64, help_text="a keyed hash of what the caller chose: it may name somebody"),
        ),
    ]
