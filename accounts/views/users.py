"""The Users report, and the type-ahead of every account picker."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.models import Right, User
from accounts.views.access import actor_of, needs_right

OFFERED = 10


@require_GET
@needs_right(Right.VIEW)
def report(request: HttpRequest) -> HttpResponse:
    users = User.objects.visible_to(actor_of(request)).order_by("last_name", "first_name", "id")[:50]
    return render(request, "accounts/users.html", {"users": users})


@require_GET
@needs_right(Right.VIEW)
def search(request: HttpRequest) -> HttpResponse:
    """Options for a picker: the visible learners that match `q`, without the account `except`."""
    text = request.GET.get("q", "").strip()[:100]
    found = User.objects.matching(actor_of(request), text, OFFERED + 1)
    users = [user for user in found if str(user.pk) != request.GET.get("except")][:OFFERED]
    return render(request, "accounts/_options.html", {"users": users})
