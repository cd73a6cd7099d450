"""Addresses of enrollments, learning records and certificates."""

from django.urls import URLPattern, URLResolver, path

from learning_records.views import certificates, enrollments, records

app_name = "learning_records"
urlpatterns: list[URLPattern | URLResolver] = [
    path("users/<int:account_id>/enroll/", enrollments.enroll, name="enroll"),
    path("enrollments/<int:pk>/", enrollments.enrollment, name="enrollment"),
    path("users/<int:account_id>/records/new/", records.receive, name="receive"),
    path("records/<int:record_id>/", records.record, name="record"),
    path("records/<int:record_id>/void/", records.void, name="void"),
    path("records/<int:record_id>/restore/", records.restore, name="restore"),
    path("certificates/check/", certificates.check, name="check_certificate"),
]
