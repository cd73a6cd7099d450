"""Addresses of linking, below Preferences."""

from django.urls import URLPattern, URLResolver, path

from linking import views

app_name = "linking"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.linked_accounts, name="linked_accounts"),
    path("link/", views.link, name="link"),
    path("live/", views.live, name="live"),
]
