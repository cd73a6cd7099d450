from django.apps import AppConfig


class ConsolidationConfig(AppConfig):
    """Two accounts become one by hand: an assistant that transfers nothing by itself."""

    name = "consolidation"
    default_auto_field = "django.db.models.BigAutoField"
