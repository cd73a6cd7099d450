"""Addresses of sign-in, the Users report, a user's page and Preferences."""

from django.urls import URLPattern, URLResolver

app_name = "accounts"
urlpatterns: list[URLPattern | URLResolver] = []
