from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class MergingConfig(AppConfig):
    """Two accounts become one: plan, review, execute, journal, undo."""

    name = "merging"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Find every app's handlers, then let the system check see that no column is forgotten."""
        autodiscover_modules("merge")
        from merging import checks, migration_checks  # noqa: F401  (register the checks)
