"""REST: webhooks and their deliveries, for superadmins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import Case, F, QuerySet, When
from django.db.models.functions import Greatest
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.owned import actor_of, need_superadmin
from integrations import services
from integrations.errors import AddressesRefused
from integrations.models import Delivery, Webhook
from rest_contract import fields, filters
from rest_contract.problems import Invalid, field_error
from rest_contract.serializers import StrictModel
from rest_contract.views import Row, Rows, WritableRows, origin_of

ADDRESS = r"^https?://([A-Za-z0-9]{1,20}\.)+[A-Za-z]{2,10}(:[1-9][0-9]{1,3})?(/[A-Za-z0-9/._~-]*)?$"


@extend_schema_field({"type": "string", "maxLength": 500, "pattern": ADDRESS, "examples": ["https://example.com/hook"]})
class AddressField(fields.CharField):
    """Where to send to; `integrations.services` checks it."""


class WebhookSerializer(StrictModel):
    """`secret` is null but in the answer that made it. `stopped` says why the portal switched the webhook off."""

    url = AddressField(max_length=500)
    events = serializers.ListField(
        child=fields.ChoiceField(choices=Webhook.Event.choices), required=False, max_length=len(Webhook.Event.values)
    )
    secret = serializers.SerializerMethodField()
    active = fields.BooleanField(source="is_active", required=False)
    stopped = serializers.ChoiceField(choices=Webhook.Stopped.choices, read_only=True, allow_null=True)

    class Meta:
        model = Webhook
        fields = [
            "id",
            "url",
            "events",
            "secret",
            "active",
            "stopped",
            "created_by",
            "created_at",
            "failures",
            "rests_until",
        ]
        read_only_fields = ["secret", "stopped", "created_by", "created_at", "failures", "rests_until"]

    def get_secret(self, webhook: Webhook) -> str | None:
        return webhook.new_secret or None

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """The query of the address may be a secret: it is shown to nobody."""
        shown: dict[str, Any] = super().to_representation(instance)
        shown["url"] += "?…" if instance.sealed_query else ""
        shown["stopped"] = instance.stopped or None
        return shown


class DeliverySerializer(StrictModel):
    event = serializers.CharField(source="kind", read_only=True)
    message_id = serializers.SerializerMethodField()
    next_attempt_at = serializers.DateTimeField(source="due_at", read_only=True, allow_null=True)

    class Meta:
        model = Delivery
        fields = [
            "id",
            "message_id",
            "event",
            "status",
            "attempts",
            "next_attempt_at",
            "response_status",
            "error",
            "created_at",
            "delivered_at",
        ]
        read_only_fields = fields

    def get_message_id(self, delivery: Delivery) -> str:
        return f"msg_{delivery.event_id}"


class Webhooks(WritableRows):
    """Addresses that are told of events, signed as the Standard Webhooks specification says."""

    model = Webhook
    serializer_class = WebhookSerializer
    scopes = dict.fromkeys(("create", "partial_update", "destroy"), ("admin",))
    grave = ("create", "partial_update", "destroy")

    def scope(self) -> QuerySet[Webhook]:
        need_superadmin(actor_of(self.request))
        return Webhook.objects.all()

    def may_write(self) -> None:
        need_superadmin(actor_of(self.request))

    def insert(self, rows: list[Row]) -> list[Any]:
        with refusing(self.many):
            return services.register(actor=actor_of(self.request), rows=rows, origin=origin_of(self.request))

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Register; the answer shows the secret, and is kept sealed for its Idempotency-Key."""
        response: Response = super().create(request, *args, **kwargs)
        response.holds_secret = True  # type: ignore[attr-defined]
        return response

    def change(self, row: Any, values: Row) -> Any:
        with refusing():
            return services.change(
                actor=actor_of(self.request), webhook=row, values=values, origin=origin_of(self.request)
            )

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Forget the webhook and its deliveries."""
        services.remove(actor=actor_of(request), webhook=self.get_object(), origin=origin_of(request))
        return Response(status=204)

    @extend_schema(
        responses=DeliverySerializer(many=True), parameters=[OpenApiParameter("status", enum=Delivery.Status.values)]
    )
    @action(detail=True, methods=["get"])
    def deliveries(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Every telling of this webhook, the newest first."""
        webhook = get_object_or_404(self.scope(), pk=self.kwargs["pk"])
        pages = _Deliveries(request=request, action="list", format_kwarg=None, args=(), kwargs={})
        pages.webhook_id = webhook.pk
        return pages.list(request)


class _Deliveries(Rows):
    model = Delivery
    serializer_class = DeliverySerializer
    filters = {"status": filters.by_choice("status", Delivery.Status.values)}
    default_ordering = "-id"
    webhook_id = 0

    def scope(self) -> QuerySet[Delivery]:
        rests = Case(When(status=Delivery.Status.PENDING, then=F("webhook__rests_until")))  # GREATEST passes over null
        return Delivery.objects.filter(webhook=self.webhook_id).annotate(
            kind=F("event__kind"), due_at=Greatest("next_at", rests)
        )


@contextmanager
def refusing(many: bool = False) -> Iterator[None]:
    """Tells refused addresses as what they are: wrong values of `url`."""
    try:
        yield
    except AddressesRefused as error:
        raise Invalid(
            *(
                field_error(f"{place}.url" if many else "url", one.code, one.detail)
                for place, one in error.refused.items()
            )
        ) from error
    except Webhook.DoesNotExist as error:
        raise Http404 from error  # removed meanwhile
