"""What every page needs to know about its frame."""

from typing import Any

from django.http import HttpRequest

from accounts.models import Right

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "theme"


def portal(request: HttpRequest) -> dict[str, Any]:
    """The frame: `page_base` is the template that a page extends, whole or inside the slide-out panel."""
    htmx = getattr(request, "htmx", None)
    in_panel = bool(htmx) and getattr(htmx, "target", None) == "panel"
    theme = request.COOKIES.get(THEME_COOKIE, "auto")
    user = getattr(request, "user", None)
    return {
        "page_base": "_panel.html" if in_panel else "base.html",
        "theme": theme if theme in THEMES else "auto",
        "may_administer": bool(user and user.is_authenticated and user.has_right(Right.VIEW)),
    }
