"""Preferences > Sessions: where the account is signed in, and ending it there."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from accounts import services
from accounts.errors import AccountError
from accounts.views.access import actor_of, origin_of


@never_cache
@login_required
def show(request: HttpRequest) -> HttpResponse:
    """The sessions of the account, this one marked. Their keys never leave the portal."""
    sessions = services.sessions_of(actor_of(request))
    here = request.session.session_key
    rows = [{"session": session, "is_this": session.session_key == here} for session in sessions]
    rows.sort(key=lambda row: not row["is_this"])
    return render(request, "accounts/sessions.html", {"rows": rows, "others": len(rows) - 1})


@login_required
def end(request: HttpRequest, handle: str) -> HttpResponse:
    """GET, after the password was asked for again, leads back to the button."""
    if request.method == "POST":
        try:
            services.end_session(actor=actor_of(request), handle=handle, origin=origin_of(request))
        except AccountError as error:
            raise Http404 from error
        messages.success(request, "The session has ended.")
    return redirect("accounts:sessions")


@login_required
def end_others(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        keep = request.session.session_key or ""
        ended = services.end_other_sessions(actor=actor_of(request), keep=keep, origin=origin_of(request))
        messages.success(request, f"{ended} other session{' has' if ended == 1 else 's have'} ended.")
    return redirect("accounts:sessions")


end.asks_for_password = end_others.asks_for_password = True  # type: ignore[attr-defined]
