from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_places_taken_by_merges"),
    ]

    operations = [
        # Counted by name until now; a hash of it is enough. Whoever had to wait may try again after the upgrade.
        migrations.RunSQL("DELETE FROM accounts_signinfailure", migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="signinfailure",
            name="caller",
            field=models.CharField(
                help_text="address, known browser, session, or the account that asked", max_length=100
            ),
        ),
        migrations.AlterField(
            model_name="signinfailure",
            name="target",
            field=models.CharField(help_text="keyed hash of the name that was typed", max_length=254),
        ),
    ]
