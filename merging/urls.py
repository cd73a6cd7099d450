"""Addresses of merging."""

from django.urls import URLPattern, URLResolver

app_name = "merging"
urlpatterns: list[URLPattern | URLResolver] = []
