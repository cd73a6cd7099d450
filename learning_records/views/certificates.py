"""Checking a certificate by its number. Open to everybody who holds the paper.

The portal's own numbers can't be guessed; imported ones may be counted up, so nobody may try many.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from learning_records.models import Certificate
from rest_contract.throttling import seconds_to_wait

CHECKS_A_MINUTE = 30  # by one address


@require_GET
def check(request: HttpRequest) -> HttpResponse:
    """Say whether the number is a certificate's, whose it is, for what, and whether it is valid."""
    number = request.GET.get("number", "").strip()[:60]
    if number and (wait := seconds_to_wait(request, "certificates", CHECKS_A_MINUTE)):
        problem = "Too many numbers were checked from here. Try again in a moment."
        response = render(request, "429.html", {"problem": problem}, status=429)
        response["Retry-After"] = str(wait)
        return response
    certificate = None
    if number and "\x00" not in number:
        certificate = Certificate.objects.select_related("user", "course").filter(number__iexact=number).first()
    is_expired = bool(certificate and certificate.expires_at and certificate.expires_at <= timezone.now())
    context = {"number": number, "certificate": certificate, "is_expired": is_expired}
    return render(request, "learning_records/certificate.html", context)
