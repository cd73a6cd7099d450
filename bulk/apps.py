from django.apps import AppConfig


class BulkConfig(AppConfig):
    """CSV files: users updated, accounts merged and records received, many at once."""

    name = "bulk"
    default_auto_field = "django.db.models.BigAutoField"
