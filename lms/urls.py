"""All addresses of the portal."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from lms.health import health, ready

handler500 = "lms.outages.server_error"

urlpatterns = [
    path("api/", include("lms.api")),
    path("health/", health, name="health"),
    path("ready/", ready, name="ready"),
    path("favicon.ico", RedirectView.as_view(url=static("img/mark.svg"), permanent=True)),
    # The admin site's own page would change a password without ending API tokens.
    path("admin/password_change/", RedirectView.as_view(pattern_name="accounts:password")),
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("learning_records.urls")),
    path("merges/", include("merging.urls")),
    path("imports/", include("bulk.urls")),
    path("consolidations/", include("consolidation.urls")),
    path("preferences/linked-accounts/", include("linking.urls")),
]
