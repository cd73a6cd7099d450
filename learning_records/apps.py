from django.apps import AppConfig


class LearningRecordsConfig(AppConfig):
    """What people did."""

    name = "learning_records"
    default_auto_field = "django.db.models.BigAutoField"
