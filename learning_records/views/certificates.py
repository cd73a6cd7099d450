"""Checking a certificate by its number. Open to everybody who holds the paper; the number can't be guessed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from learning_records.models import Certificate


@require_GET
def check(request: HttpRequest) -> HttpResponse:
    """Say whether the number is a certificate's, whose it is, for what, and whether it is valid."""
    number = request.GET.get("number", "").strip()[:60]
    certificate = None
    if number and "\x00" not in number:
        certificate = Certificate.objects.select_related("user", "course").filter(number__iexact=number).first()
    is_expired = bool(certificate and certificate.expires_at and certificate.expires_at <= timezone.now())
    context = {"number": number, "certificate": certificate, "is_expired": is_expired}
    return render(request, "learning_records/certificate.html", context)
