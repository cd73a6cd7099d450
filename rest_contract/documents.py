"""The OpenAPI document and its page, both without a network.

The generator isn't made for threads and takes a while, so one thread at a time makes a document, and it is kept as bytes.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Any

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from rest_contract.schema import NAMES_SITE, site_fingerprint

PUBLIC = None
_kept: dict[bool, tuple[Hashable, bytes]] = {}
_one_at_a_time = threading.Lock()


def document(site: Hashable = PUBLIC) -> bytes:
    """The document as JSON: for strangers, or with what this site has defined as `site` (a fingerprint of it) says."""
    names_site = site is not PUBLIC
    with _one_at_a_time:
        kept = _kept.get(names_site)
        if kept is None or kept[0] != site:
            kept = _kept[names_site] = (site, _made(names_site))
    return kept[1]


def _made(names_site: bool) -> bytes:
    token = NAMES_SITE.set(names_site)
    try:
        found = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
        return bytes(OpenApiJsonRenderer().render(found))
    finally:
        NAMES_SITE.reset(token)


class Schema(APIView):
    """OpenAPI 3.1, complete and true. Needs no sign-in; who signed in sees this site's own fields too."""

    renderer_classes = [OpenApiJsonRenderer]
    permission_classes = [AllowAny]
    schema = None

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        site = site_fingerprint() if request.user.is_authenticated else PUBLIC
        answer = HttpResponse(document(site), content_type=OpenApiJsonRenderer.media_type)
        answer["Content-Disposition"] = 'inline; filename="LMS portal.json"'
        patch_vary_headers(answer, ["Authorization", "Cookie"])
        return answer


@method_decorator(csp_update({"style-src": ["'self'", UNSAFE_INLINE]}), name="dispatch")
class Docs(SpectacularSwaggerSplitView):
    """The document as a page, with scripts and styles of this server alone.

    Swagger brings styles of its own into the page; here, and nowhere else, these are let through. Scripts are not.
    """

    permission_classes = [AllowAny]
    authentication_classes = []
    schema = None
