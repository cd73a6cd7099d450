from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class NoticesConfig(AppConfig):
    """Mails that are owed to people: one row per recipient, written where they are caused, sent by workers."""

    name = "notices"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Find what every app's mails say."""
        autodiscover_modules("mails")
