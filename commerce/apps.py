from django.apps import AppConfig


class CommerceConfig(AppConfig):
    """Subscription plans, licences and transactions."""

    name = "commerce"
    default_auto_field = "django.db.models.BigAutoField"
