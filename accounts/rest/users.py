"""Users: the accounts that the caller may see, and the acts on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors, services
from accounts.models import ManagerAssignment, Right, Role, Status, User
from accounts.rest.owned import actor_of, need_right
from accounts.rest.serializers import NothingSerializer, UserSerializer, accounts_named, attach
from accounts.rest.transcript import HISTORY, TranscriptSerializer, read_history, transcript_of
from accounts.sign_in import stay_signed_in
from rest_contract import filters
from rest_contract.problems import Problem, answer_with
from rest_contract.views import Row, WritableRows, origin_of

STATE = frozenset({"unique", "not_a_power_user", "own_account"})
UNKNOWN = frozenset({"unknown"})


def status_of(error: errors.FieldsInvalid) -> int:
    """Values that are wrong: 400. That name what there isn't: 404. That only contradict what there is: 409."""
    codes = {problem["code"] for problem in error.errors}
    if codes - STATE - UNKNOWN:
        return 400
    return 404 if codes & UNKNOWN else 409


answer_with(404, errors.UnknownAccount)
answer_with(403, errors.NotAllowed, errors.SignInAgain)
answer_with(status_of, errors.FieldsInvalid)
answer_with(429, errors.TooManyFailures)
answer_with(409, errors.AccountError)


IDENTIFIER = "any present or old identifier: answers the account that its data lives on"


def _searched(rows: Any, text: str) -> QuerySet[Any]:
    return rows.searched(text)  # type: ignore[no-any-return]


def _by_username(rows: Any, text: str) -> QuerySet[Any]:
    return rows.by_username(text)  # type: ignore[no-any-return]


def _by_email(rows: Any, text: str) -> QuerySet[Any]:
    return rows.by_email(text)  # type: ignore[no-any-return]


class Users(WritableRows):
    """Accounts. Deleted ones are listed only when asked for by `status`."""

    model = User
    serializer_class = UserSerializer
    grave = ("destroy",)
    personal = True
    # Which of the two depends on the account and the fields; the services decide when they write.
    scopes = dict.fromkeys(("create", "partial_update", "destroy", "deactivate", "reactivate"), ("write", "admin"))
    filters = {
        "search": filters.Filter(
            _searched, filters.read_text, filters.TEXT, "how a name, username, e-mail or number begins"
        ),
        "status": filters.by_choice("status", Status.values),
        "role": filters.by_choice("role", Role.values),
        "branch": filters.by_id("branch_memberships__branch"),
        "username": filters.Filter(_by_username, filters.read_text, filters.TEXT),
        "email": filters.Filter(_by_email, filters.read_text, filters.TEXT),
        "identifier": filters.Filter(lambda rows, text: rows, filters.read_text, filters.TEXT, IDENTIFIER),
    }
    orderings = {
        "id": "id",
        "username": "username",
        "email": "email",
        "last_name": "last_name",
        "first_name": "first_name",
        "last_login": "last_login",
    }

    def scope(self) -> QuerySet[Any]:
        users: QuerySet[User] = User.objects.visible_to(actor_of(self.request))
        return users.annotate(link_group_id=F("link_membership__group"))

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().filter_queryset(queryset)
        if self.action != "list":
            return rows
        text = self.request.query_params.get("identifier")
        if text is not None:
            found = services.find_by_identifier(actor_of(self.request), text)
            rows = rows.filter(pk=found.pk) if found else rows.none()
        return rows if "status" in self.request.query_params else rows.exclude(status=Status.DELETED)

    def show(self, rows: Sequence[Any]) -> list[Any]:
        actor = actor_of(self.request)
        seen = None
        if not actor.is_superadmin:
            seen = User.objects.visible_to(actor).filter(pk__in=accounts_named(rows)).values_list("pk", flat=True)
        attach(rows, seen)
        return super().show(rows)

    def may_write(self) -> None:
        need_right(actor_of(self.request))

    def owner_of(self, row: Any) -> int:
        return int(row.pk)

    def check_references(self, rows: list[Row], many: bool) -> None:
        """The service says which of them this caller may name."""

    def insert(self, rows: list[Row]) -> list[Any]:
        actor, origin = actor_of(self.request), origin_of(self.request)
        if self.many:
            made = services.create_users(actor=actor, rows=rows, origin=origin)
        else:
            made = [services.create_user(actor=actor, data=rows[0], origin=origin)]
        return self._again([user.pk for user in made])

    def change(self, row: Any, values: Row) -> Any:
        actor = actor_of(self.request)
        if "managers" in values and not actor.is_superadmin:
            values["managers"] = [*values["managers"], *_unseen_managers(actor, row)]
        services.update_user(actor=actor, account_id=row.pk, data=values, origin=origin_of(self.request))
        changed = self._again([row.pk])[0]
        if changed.session_epoch != row.session_epoch:
            stay_signed_in(self.request, changed)
        return changed

    def _again(self, ids: list[int]) -> list[Any]:
        """The accounts as they are now, in this order. A caller may have lost sight of one by the change itself."""
        found = User.objects.annotate(link_group_id=F("link_membership__group")).in_bulk(ids)
        return [found[pk] for pk in ids]

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete the account for good."""
        user = self.get_object()
        need_right(actor_of(request), Right.DELETE)
        services.delete_account(actor=actor_of(request), account_id=user.pk, origin=origin_of(request))
        return Response(status=204)

    @extend_schema(request=NothingSerializer)
    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End sign-in and keep everything."""
        return self._act(services.deactivate)

    @extend_schema(request=NothingSerializer)
    @action(detail=True, methods=["post"])
    def reactivate(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let an inactive account sign in again."""
        return self._act(services.reactivate)

    def _act(self, act: Any) -> Response:
        user = self.get_object()
        need_right(actor_of(self.request))
        NothingSerializer(data=self.request.data).is_valid(raise_exception=True)
        with transaction.atomic():
            act(actor=actor_of(self.request), account_id=user.pk, origin=origin_of(self.request))
            return Response(self.show(self._again([user.pk]))[0])

    @extend_schema(parameters=[HISTORY], responses=TranscriptSerializer)
    @action(detail=True, methods=["get"])
    def transcript(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Everything the account holds, by kind."""
        history = read_history(request)
        user = self.get_queryset().filter(pk=self.kwargs["pk"]).first()
        if user is None:
            raise Problem(404, "not_found", errors.UnknownAccount.detail)
        self.note_read("read", user.pk)
        return Response(transcript_of(user.pk, request, history))


def _unseen_managers(actor: User, user: User) -> list[int]:
    """Managers that the caller doesn't know of, and so can't mean to take away."""
    managers = ManagerAssignment.objects.filter(user=user).values_list("manager_id", flat=True)
    seen = User.objects.visible_to(actor).filter(pk__in=managers).values_list("pk", flat=True)
    return sorted(set(managers) - set(seen))
