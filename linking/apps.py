from django.apps import AppConfig


class LinkingConfig(AppConfig):
    """Two accounts that stay two and count as one person."""

    name = "linking"
    default_auto_field = "django.db.models.BigAutoField"
