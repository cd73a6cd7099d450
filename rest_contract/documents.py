"""The OpenAPI document and its page, both without a network."""

from __future__ import annotations

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny


class Schema(SpectacularAPIView):
    """OpenAPI 3.1, complete and true. Needs no sign-in."""

    renderer_classes = [OpenApiJsonRenderer]
    permission_classes = [AllowAny]
    authentication_classes = []
    schema = None


@method_decorator(csp_update({"style-src": ["'self'", UNSAFE_INLINE]}), name="dispatch")
class Docs(SpectacularSwaggerSplitView):
    """The document as a page, with scripts and styles of this server alone.

    Swagger brings styles of its own into the page; here, and nowhere else, these are let through. Scripts are not.
    """

    permission_classes = [AllowAny]
    authentication_classes = []
    schema = None
