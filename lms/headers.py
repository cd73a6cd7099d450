"""Headers beside those of Django's own middleware."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

ECHOES = ("TRACE", "TRACK")  # methods that give a request back, cookies and all
NOT_NEEDED = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
Answer = Callable[[HttpRequest], HttpResponse]


def more_headers(get_response: Answer) -> Answer:
    """No page needs the device, and no cache may keep what somebody signed in was shown."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.method in ECHOES:
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", ", ".join(f"{name}=()" for name in NOT_NEEDED))
        if getattr(request, "session", None) and request.session.accessed:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return answer
