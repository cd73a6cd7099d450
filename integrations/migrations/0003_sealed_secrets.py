from django.db import migrations, models

import sealing


def seal_all(apps, schema_editor):
    for webhook in apps.get_model("integrations", "Webhook").objects.all():
        webhook.sealed_secret = sealing.seal(webhook.sealed_secret)
        webhook.url, mark, query = webhook.url.partition("?")
        webhook.sealed_query = sealing.seal(query) if mark else ""
        webhook.save(update_fields=["sealed_secret", "sealed_query", "url"])


def unseal_all(apps, schema_editor):
    for webhook in apps.get_model("integrations", "Webhook").objects.all():
        webhook.sealed_secret = sealing.unseal(webhook.sealed_secret)
        if webhook.sealed_query:
            webhook.url, webhook.sealed_query = f"{webhook.url}?{sealing.unseal(webhook.sealed_query)}", ""
        webhook.save(update_fields=["sealed_secret", "sealed_query", "url"])


class Migration(migrations.Migration):
    dependencies = [("integrations", "0002_fair_deliveries")]

    operations = [
        migrations.RenameField("webhook", "secret", "sealed_secret"),
        migrations.AlterField("webhook", "sealed_secret", models.TextField()),
        migrations.AddField(
            "webhook", "sealed_query", models.TextField(blank=True, default=""), preserve_default=False
        ),
        migrations.AddField(
            "webhook",
            "stopped",
            models.CharField(
                blank=True,
                choices=[
                    ("creator_lost_rights", "Its creator is no active superadmin any more"),
                    ("secret_unreadable", "No key opens its secret"),
                ],
                default="",
                max_length=30,
            ),
        ),
        migrations.RunPython(seal_all, unseal_all),
    ]
