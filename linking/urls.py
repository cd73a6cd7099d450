"""Addresses of linking."""

from django.urls import URLPattern, URLResolver

app_name = "linking"
urlpatterns: list[URLPattern | URLResolver] = []
