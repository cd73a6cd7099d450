from django.apps import AppConfig


class RewardsConfig(AppConfig):
    """Badges, points, coins and the reward shop."""

    name = "rewards"
    default_auto_field = "django.db.models.BigAutoField"
