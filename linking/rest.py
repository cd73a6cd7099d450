"""REST: link groups, and linking another account to the caller's own. There is no unlinking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Role, User
from accounts.rest.owned import actor_of
from learning_records.hints import hint_owed
from linking import errors, services
from linking.models import Link, LinkGroup, Membership
from rest_contract import fields, filters
from rest_contract.problems import answer_with
from rest_contract.serializers import Strict, StrictModel
from rest_contract.views import Rows, SingleRows, origin_of

answer_with(400, errors.CredentialsRefused)
answer_with(403, errors.CallerMayNotLink)
answer_with(409, errors.LinkRefused)
answer_with(503, errors.AccountsAreBusy)


class LinkGroupSerializer(StrictModel):
    accounts = serializers.ListField(child=serializers.IntegerField(), source="account_ids", read_only=True)

    class Meta:
        model = LinkGroup
        fields = ["id", "accounts", "created_at"]
        read_only_fields = ["created_at"]


class LinkGroups(Rows):
    """The accounts of one person. A power user sees those of its accounts that are theirs to see."""

    model = LinkGroup
    serializer_class = LinkGroupSerializer
    filters = {"user": filters.by_id("memberships__user")}  # narrowed to members that the caller may know of
    orderings = {"id": "id", "created_at": "created_at"}
    personal = True

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Asking for an account out of sight finds nothing, though the group has another that is in sight."""
        rows = super().filter_queryset(queryset)
        named = self.request.query_params.get("user") if self.action == "list" else None
        if named is not None and not visible_members(actor_of(self.request), {int(named)}):
            return rows.none()
        return rows

    def scope(self) -> QuerySet[LinkGroup]:
        visible = User.objects.visible_to(actor_of(self.request)).order_by().values("pk")
        return LinkGroup.objects.filter(pk__in=Membership.objects.filter(user__in=visible).values("group"))

    def show(self, rows: Sequence[Any]) -> list[Any]:
        members = Membership.objects.filter(group__in=[row.pk for row in rows]).order_by("user_id")
        pairs = list(members.values_list("group_id", "user_id"))
        seen = visible_members(actor_of(self.request), {user for _, user in pairs})
        for row in rows:
            row.__dict__["account_ids"] = [user for group, user in pairs if group == row.pk and user in seen]
        return super().show(rows)


def visible_members(actor: User, ids: set[int]) -> set[int]:
    """The members that the caller may know of: learners all, since they are themselves."""
    if actor.role == Role.LEARNER or actor.is_superadmin:
        return ids
    return set(User.objects.visible_to(actor).filter(pk__in=ids).values_list("pk", flat=True))


class CredentialsSerializer(Strict):
    username = fields.CharField(max_length=254)
    password = fields.CharField(max_length=1000, trim_whitespace=False)
    generate_equivalencies = fields.BooleanField(required=False)


class LinkSerializer(serializers.Serializer[Any]):
    """`id` is null for two accounts that only a merge brought together."""

    id = serializers.IntegerField(allow_null=True)
    group = serializers.IntegerField(allow_null=True)
    accounts = serializers.ListField(child=serializers.IntegerField())
    created = serializers.BooleanField()
    status = serializers.ChoiceField(choices=["none", "pending", "done"])
    owed = serializers.IntegerField()
    issued = serializers.IntegerField()


class Links(SingleRows):
    """The act of linking, and the progress of what it generates."""

    model = Link
    serializer_class = LinkSerializer
    keeps_failures = True  # refused passwords stay counted
    grave = ("create",)
    personal = True

    def scope(self) -> QuerySet[Link]:
        """A learner's: those of their own group. Otherwise those of accounts that the caller may see."""
        actor = actor_of(self.request)
        if actor.is_superadmin:
            return Link.objects.all()
        ours: Any = User.objects.visible_to(actor).order_by().values("pk")
        if actor.role == Role.LEARNER:
            ours = services.member_ids([actor.pk]) | {actor.pk}
        return Link.objects.filter(Q(account__in=ours) | Q(other__in=ours))

    @extend_schema(request=CredentialsSerializer, responses={200: LinkSerializer, 201: LinkSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Link the account with these credentials to the caller's own."""
        actor = actor_of(request)
        if actor.role != Role.LEARNER:
            raise errors.CallerMayNotLink
        body = CredentialsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = {"generate_equivalencies": False, **body.validated_data}
        linked = services.prove_and_link(caller=actor, origin=origin_of(request), **values)
        hint_owed()
        shown = self._told(linked.link, linked.group_id, created=linked.is_new)
        return Response(shown, status=201 if linked.is_new else 200)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """How far the generation is."""
        link = self.get_object()
        group = Membership.objects.filter(user=link.account_id).values_list("group_id", flat=True).first()
        self.note_read("read", link.account_id)
        return Response(self._told(link, group, created=False))

    def _told(self, link: Link | None, group_id: int | None, *, created: bool) -> dict[str, Any]:
        progress = services.progress_of(link) if link else services.Progress("none", 0, 0)
        members = (
            set(Membership.objects.filter(group=group_id).values_list("user_id", flat=True)) if group_id else set()
        )
        return {
            "id": link.pk if link else None,
            "group": group_id,
            "accounts": sorted(visible_members(actor_of(self.request), members)),
            "created": created,
            "status": progress.status,
            "owed": progress.owed,
            "issued": progress.issued,
        }
