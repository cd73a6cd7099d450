from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Who did what to whom, and the outbox of events that leave the portal."""

    name = "audit"
    default_auto_field = "django.db.models.BigAutoField"
