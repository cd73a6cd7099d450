"""The OpenAPI document and its page, both without a network."""

from __future__ import annotations

from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny


class Schema(SpectacularAPIView):
    """OpenAPI 3.1, complete and true. Needs no sign-in."""

    renderer_classes = [OpenApiJsonRenderer]
    permission_classes = [AllowAny]
    authentication_classes = []
    schema = None


class Docs(SpectacularSwaggerSplitView):
    """The document as a page, with scripts and styles of this server alone."""

    permission_classes = [AllowAny]
    authentication_classes = []
    schema = None
