"""Addresses of the assistant that consolidates by hand."""

from django.urls import path

from consolidation import views

app_name = "consolidation"
urlpatterns = [
    path("", views.index, name="index"),
    path("new/", views.begin, name="begin"),
    path("<int:pk>/identify/", views.identify, name="identify"),
    path("<int:pk>/update/", views.update, name="update"),
    path("<int:pk>/update/profile/", views.profile, name="profile"),
    path("<int:pk>/update/enroll/", views.enroll, name="enroll"),
    path("<int:pk>/update/completion/<int:enrollment>/", views.completion, name="completion"),
    path("<int:pk>/remove/", views.remove, name="remove"),
    path("<int:pk>/", views.show, name="show"),
]
