"""Resources: lists, single rows, writes of one or many. What an app adds is its scope and its way of writing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from django.db import IntegrityError, models, transaction
from django.db.models import QuerySet
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from rest_contract.fields import IdField, IdListField
from rest_contract.filters import Filter, read_query
from rest_contract.idempotency import OncePerKey
from rest_contract.integrity import tell
from rest_contract.problems import Invalid, Problem, field_error

MOST = 1000
Row = dict[str, Any]


def origin_of(request: Request) -> str:
    """From where an act came, for the audit log."""
    token: Any = request.auth
    how = f"token {token.pk}" if token else "session"
    return f"REST {request.META.get('REMOTE_ADDR', '')} {how}"[:100]


class SingleRows(OncePerKey, viewsets.GenericViewSet[Any]):
    """What can be read by its id. Subclasses name `model` and narrow `scope`."""

    model: ClassVar[type[models.Model]]
    filters: ClassVar[Mapping[str, Filter]] = {}
    orderings: ClassVar[Mapping[str, str]] = {"id": "id"}
    default_ordering: ClassVar[str] = "id"
    scopes: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    lookup_value_regex = "[0-9]{1,18}"
    lookup_value_converter = "str"
    http_method_names = ["get", "post", "patch", "delete", "head"]
    personal: ClassVar[bool] = False  # whether rows tell of people: then it is noted who reads them

    def scope(self) -> QuerySet[Any]:
        """The rows that the caller may know of."""
        return self.model._default_manager.all()

    def get_queryset(self) -> QuerySet[Any]:
        return self.scope()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The filters of the address; a single row takes none."""
        if self.action != "list":
            read_query(self.request, {}, {})
            return queryset
        for name, value in read_query(self.request, self.filters, self.orderings).items():
            queryset = self.filters[name].apply(queryset, value)
        return queryset

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self.get_object()
        shown = self.show([row])[0]
        self.note_read("read", self.owner_of(row))
        return Response(shown)

    def note_read(self, how: str, owner: int | None = None, **detail: Any) -> None:
        """Leave on the request what it showed of whom; the audit's middleware writes it down."""
        if self.personal:
            detail = {"resource": self.basename, **detail}
            self.request._request.rest_shown = {"how": how, "owner": owner, "detail": detail}  # type: ignore[attr-defined]

    def owner_of(self, row: Any) -> int | None:
        """The account that a row belongs to."""
        return getattr(row, "user_id", None)

    def show(self, rows: Sequence[Any]) -> list[Any]:
        """Rows as an outsider sees them. Subclasses fetch here, for all rows at once, what rows need."""
        return list(self.get_serializer(rows, many=True).data)


class Rows(SingleRows):
    """What can be listed too, by pages."""

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        if page:
            owners = {self.owner_of(row) for row in page}
            given = sorted(name for name in request.query_params if name in self.filters)
            self.note_read("listed", owners.pop() if len(owners) == 1 else None, rows=len(page), filters=given)
        return self.get_paginated_response(self.show(page or []))


class WritableRows(Rows):
    """What can be written too. `may_write` says who; `insert` and `change` are the ways."""

    many = False  # whether the body is a list

    def may_write(self) -> None:
        """Raise Forbidden unless the caller may write rows of this kind at all."""

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.may_write()
        body: Any = request.data
        self.many = many = isinstance(body, list)
        rows = self.read_body(body if many else [body], many)
        with telling(self.model, rows, many), transaction.atomic():
            made = self.insert(rows)
            shown = self.show(made)
        return Response(shown if many else shown[0], status=201)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self.get_object()
        self.may_write()
        self.may_change(row)
        serializer = self.get_serializer(row, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        values: Row = dict(serializer.validated_data)
        self.check_references([values], many=False)
        with telling(self.model, [values]), transaction.atomic():
            shown = self.show([self.change(row, values)])
        return Response(shown[0])

    def read_body(self, items: list[Any], many: bool) -> list[Row]:
        """The rows of a body, valid and with existing references; raises Invalid naming what is wrong."""
        if many and not 0 < len(items) <= MOST:
            raise Invalid(field_error("", "invalid", f"A list may hold 1 to {MOST} objects."))
        serializer = self.get_serializer(data=items if many else items[0], many=many)
        serializer.is_valid(raise_exception=True)
        found = serializer.validated_data
        rows = [dict(row) for row in (found if many else [found])]
        self.check_references(rows, many)
        return rows

    def check_references(self, rows: list[Row], many: bool) -> None:
        """One query per kind of reference, whatever the number of rows."""
        problems: list[dict[str, str]] = []
        serializer: Any = self.get_serializer()
        for name, field in serializer.fields.items():
            if isinstance(field, IdField | IdListField) and not field.read_only:
                problems += self._missing(rows, many, name, field)
        if problems:
            raise unknown(problems)

    def _missing(
        self, rows: list[Row], many: bool, name: str, field: IdField | IdListField
    ) -> Iterable[dict[str, str]]:
        wanted = [_ids(row.get(field.source or name)) for row in rows]
        ids = {pk for some in wanted for pk in some}
        if not ids:
            return
        known = set(self.referable(field.model, name).filter(pk__in=ids).values_list("pk", flat=True))
        for place, some in enumerate(wanted):
            if set(some) - known:
                yield missing(f"{place}.{name}" if many else name)

    def referable(self, model: type[models.Model], name: str) -> QuerySet[Any]:
        """The rows that a body of this caller may refer to."""
        return model._default_manager.all()

    def may_change(self, row: Any) -> None:
        """Raise Forbidden unless the caller may change this row."""

    def insert(self, rows: list[Row]) -> list[Any]:
        """Store new rows, all or nothing, in their order, in a constant number of statements."""
        return list(self.model._default_manager.bulk_create([self.model(**self.as_columns(row)) for row in rows]))

    def change(self, row: Any, values: Row) -> Any:
        """Store new values of one row."""
        columns = self.as_columns(values)
        for name, value in columns.items():
            setattr(row, name, value)
        if columns:
            row.save(update_fields=list(columns))
        return row

    def as_columns(self, row: Row) -> Row:
        """Validated values by attribute name: relations become `<name>_id`."""
        return {self.model._meta.get_field(name).attname: value for name, value in row.items()}  # type: ignore[union-attr]


def missing(field: str) -> dict[str, str]:
    """The one answer about a reference to what doesn't exist, or isn't the caller's to see."""
    return field_error(field, "does_not_exist", "There is nothing with this id.")


def unknown(errors: Sequence[Mapping[str, str]]) -> Problem:
    """404: the body refers to what doesn't exist, or isn't the caller's to see; the answer is the same."""
    return Problem(404, "not_found", f"{errors[0]['field']}: {errors[0]['detail']}", errors=errors[:100])


@contextmanager
def telling(model: type[models.Model], rows: Sequence[Row], many: bool = False) -> Iterator[None]:
    """Turns what the database refuses into a Problem that names the fields, and the row of a list."""
    try:
        yield
    except IntegrityError as error:
        raise tell(error, model, rows if many else ()) from error


def _ids(value: Any) -> list[int]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


class UnknownAddress(APIView):
    """Every address under /api/ that nothing else answers."""

    authentication_classes = ()
    permission_classes = ()
    schema = None
    http_method_names = ["get", "post", "put", "patch", "delete", "head", "options"]

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        problem = Problem(404, "not_found", "There is nothing at this address. Addresses end with a slash.")
        self.initial_renderer(self.request)
        response = self.handle_exception(problem)
        self.response = self.finalize_response(self.request, response, *args, **kwargs)
        return self.response

    def initial_renderer(self, request: Request) -> None:
        neg = self.perform_content_negotiation(request, force=True)
        request.accepted_renderer, request.accepted_media_type = neg
