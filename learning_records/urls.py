"""Addresses of learning_records."""

from django.urls import URLPattern, URLResolver

app_name = "learning_records"
urlpatterns: list[URLPattern | URLResolver] = []
