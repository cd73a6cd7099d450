from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Webhooks: the events that leave the portal."""

    name = "integrations"
    default_auto_field = "django.db.models.BigAutoField"
