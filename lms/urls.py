"""All addresses of the portal."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("learning_records.urls")),
    path("merges/", include("merging.urls")),
    path("preferences/linked-accounts/", include("linking.urls")),
]
