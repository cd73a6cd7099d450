from django.apps import AppConfig


class RestContractConfig(AppConfig):
    """The conventions that every REST resource keeps."""

    name = "rest_contract"
    default_auto_field = "django.db.models.BigAutoField"
