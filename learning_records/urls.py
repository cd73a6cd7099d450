"""Addresses of enrollments and certificates."""

from django.urls import path

from learning_records.views import certificates, enrollments

app_name = "learning_records"
urlpatterns = [
    path("users/<int:account_id>/enroll/", enrollments.enroll, name="enroll"),
    path("enrollments/<int:pk>/", enrollments.enrollment, name="enrollment"),
    path("certificates/check/", certificates.check, name="check_certificate"),
]
