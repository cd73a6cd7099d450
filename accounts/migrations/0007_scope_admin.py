"""Tokens may have the scope `admin`. Those that exist don't gain it."""

import django.contrib.postgres.fields
from django.db import migrations, models

SCOPES = [
    ("read", "Read"),
    ("write", "Write records and accounts"),
    ("merge", "Merge accounts"),
    ("undo", "Undo merges"),
    ("admin", "Administer roles, staff and passwords"),
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_failures_without_names")]

    operations = [
        migrations.AlterField(
            model_name="apitoken",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(choices=SCOPES, max_length=10), default=list, size=None
            ),
        )
    ]
