from django.apps import AppConfig


class LmsConfig(AppConfig):
    """Only commands, pages and templates of the whole portal live here; it has no models."""

    name = "lms"
