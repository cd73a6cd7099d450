from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class PrivacyConfig(AppConfig):
    """Which columns hold personal values, how they are erased, and when they are purged."""

    name = "privacy"

    def ready(self) -> None:
        """Find every app's `privacy.py`, then let the system check see that no column is forgotten."""
        autodiscover_modules("privacy")
        from privacy import checks  # noqa: F401  (registers the check)
