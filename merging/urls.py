"""Addresses of merging."""

from django.urls import path

from merging import views

app_name = "merging"
urlpatterns = [
    path("", views.merge_list, name="merges"),
    path("new/", views.wizard, name="new"),
    path("<int:merge_id>/", views.merge_page, name="merge"),
    path("<int:merge_id>/undo/", views.undo, name="undo"),
]
