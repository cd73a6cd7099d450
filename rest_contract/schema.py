"""What the OpenAPI document says of every operation alike: bodies of many, filters, keys, problems."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable
from contextvars import ContextVar
from typing import Any

from drf_spectacular.openapi import AutoSchema

from rest_contract.fields import NO_NULL
from rest_contract.problems import MEDIA_TYPE
from rest_contract.scopes import scopes_for
from rest_contract.serializers import Strict, StrictModel
from rest_contract.views import MOST, SingleRows, WritableRows

NOT_BLANK = r"^[^\x00]*[^\s\x00\x1c-\x1f\x85][^\x00]*$"
BLANK = {"type": "string", "maxLength": 0}
INTERNAL = [inspect.getdoc(kind) for kind in (Strict, StrictModel)]
PROBLEM = {"$ref": "#/components/schemas/Problem"}
REASONS = {
    "400": "The input is invalid; `errors` name the fields.",
    "401": "No valid token or session.",
    "403": "A right or scope is missing.",
    "404": "Unknown, or not yours to see.",
    "409": "The state forbids it; `code` says which rule.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "The Idempotency-Key was used for another body.",
    "429": "Too many requests or attempts; see Retry-After.",
    "503": "Busy; see Retry-After.",
}

# Whether the document that is being made may name what this site has defined, such as its custom fields.
NAMES_SITE: ContextVar[bool] = ContextVar("names_site", default=False)
_of_site: list[Callable[[], Hashable]] = []


def varies_with(fingerprint: Callable[[], Hashable]) -> None:
    """Say what of this site stands in the document: it is made anew when the fingerprint changes."""
    _of_site.append(fingerprint)


def site_fingerprint() -> Hashable:
    """Changes with whatever this site has defined."""
    return tuple(fingerprint() for fingerprint in _of_site)


class ContractSchema(AutoSchema):
    """One operation of a resource."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        for status in self._problem_statuses():
            operation["responses"].setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
        self._tell_headers(operation)
        scopes = scopes_for(self.view, self.method)
        if scopes:
            named = " or ".join(f"`{scope}`" for scope in scopes)
            operation["description"] = f"{operation.get('description', '')}\n\nScope: {named}.".strip()
        return operation

    def _tell_headers(self, operation: dict[str, Any]) -> None:
        """What the answer of a POST says beside its body."""
        if self.method != "POST" or not isinstance(self.view, SingleRows):
            return
        own = getattr(self.view, "answer_headers", {}) if self.view.action == "create" else {}
        headers = {"Idempotent-Replayed": "`true` when this is the kept answer to an earlier request.", **own}
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                answer["headers"] = {
                    name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()
                }

    def _problem_statuses(self) -> list[str]:
        statuses = ["400", "401", "403", "429", "503"]
        if "{" in self.path or self.method == "POST" or self._is_list_view():
            statuses.append("404")
        if self.method not in ("GET", "HEAD"):
            statuses += ["409", "413", "415"] if self.method != "DELETE" else ["409"]
        if self.method == "POST":
            statuses += ["422"]
        if self.method == "GET" and self._is_list_view() and "identifier" in getattr(self.view, "filters", {}):
            statuses.append("409")
        return sorted(statuses)

    def get_override_parameters(self) -> list[Any]:
        parameters = list(super().get_override_parameters())
        if self.method == "POST" and isinstance(self.view, SingleRows):
            parameters.append(_idempotency_key())
        return parameters

    def _get_filter_parameters(self) -> list[dict[str, Any]]:
        if not self._is_list_view() or not isinstance(self.view, SingleRows) or self.view.action != "list":
            return []
        return [
            {"name": name, "in": "query", "required": False, "description": one.description, "schema": dict(one.schema)}
            for name, one in self.view.filters.items()
        ]

    def _get_request_body(self, direction: Any = "request") -> dict[str, Any] | None:
        body: dict[str, Any] | None = super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        if body is not None:
            body["required"] = True
            if self._takes_many():
                for content in body["content"].values():
                    one = content["schema"]
                    many = {"type": "array", "items": one, "minItems": 1, "maxItems": MOST}
                    content["schema"] = {"oneOf": [one, many]}
        return body

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        if self._takes_many() and "201" in bodies:
            for content in bodies["201"].get("content", {}).values():
                one = content["schema"]
                content["schema"] = {"oneOf": [one, {"type": "array", "items": one}]}
        return dict(bodies)

    def _takes_many(self) -> bool:
        return self.method == "POST" and isinstance(self.view, WritableRows) and self.view.action == "create"


def _idempotency_key() -> Any:
    from drf_spectacular.utils import OpenApiParameter

    return OpenApiParameter(
        "Idempotency-Key",
        {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"},
        OpenApiParameter.HEADER,
        description="The same key and body again, within 24 hours, gives the same answer and does nothing.",
    )


def finish(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Postprocessing: request bodies take no unknown members and no null characters; problems have their one shape."""
    schemas = result["components"].setdefault("schemas", {})
    for name, schema in schemas.items():
        if schema.get("description") in INTERNAL:
            del schema["description"]
        variants = schema.pop("x-variants", None)
        for member in schema.get("properties", {}).values():
            _tidy(member)
        if not name.endswith("Request"):
            _loosen(schema)
        elif schema.get("type") == "object":
            _tighten(schema, None if name.startswith("Patched") else variants)
    schemas["Problem"] = _problem_schema()
    schemas["AnyValue"] = _any_value()
    result["components"]["responses"] = {
        f"Problem{status}": {"description": reason, "content": {MEDIA_TYPE: {"schema": PROBLEM}}}
        for status, reason in REASONS.items()
    }
    _link(result)
    return result


def _tidy(member: dict[str, Any]) -> None:
    member.pop("x-spec-enum-id", None)
    if member.get("oneOf", [None])[-1] == BLANK:  # a text that may be blank is one text, not one of two
        member.update(member.pop("oneOf")[0])


def _loosen(schema: dict[str, Any]) -> None:
    """An answer shows what is there: a deleted account has no e-mail address."""
    for member in schema.get("properties", {}).values():
        if member.get("format") == "email":
            del member["format"]


def _tighten(schema: dict[str, Any], variants: list[Any] | None) -> None:
    """A body has the named members, without what no text may hold, in one of its variants."""
    schema["additionalProperties"] = False
    for member in schema.get("properties", {}).values():
        _tell_text(member)
    if variants:
        schema["oneOf"] = variants


def _tell_text(schema: dict[str, Any]) -> None:
    """What no text may hold; JSON Schema knows nothing of blanks that are cut off."""
    if "string" in str(schema.get("type")) and not {"pattern", "enum", "format"} & schema.keys():
        schema["pattern"] = NOT_BLANK if schema.get("minLength") else NO_NULL
    elif "items" in schema:
        _tell_text(schema["items"])


def _link(result: dict[str, Any]) -> None:
    """Say that the id in the answer of a POST is that of the addresses below it."""
    for address, operations in result["paths"].items():
        answer = operations.get("post", {}).get("responses", {}).get("201")
        below = {path: found for path, found in result["paths"].items() if path.startswith(address + "{id}/")}
        if answer is None or "{" in address or not below:
            continue
        answer["links"] = {
            operation["operationId"]: {
                "operationId": operation["operationId"],
                "parameters": {"id": "$response.body#/id"},
            }
            for found in below.values()
            for operation in found.values()
        }


def _any_value() -> dict[str, Any]:
    """Any JSON, at whatever depth without null characters."""
    again = {"$ref": "#/components/schemas/AnyValue"}
    return {
        "anyOf": [
            {"type": ["null", "boolean", "number"]},
            {"type": "string", "pattern": NO_NULL},
            {"type": "array", "items": again},
            {"type": "object", "propertyNames": {"pattern": NO_NULL}, "additionalProperties": again},
        ]
    }


def _problem_schema() -> dict[str, Any]:
    field = {
        "type": "object",
        "required": ["field", "code", "detail"],
        "properties": {name: {"type": "string"} for name in ("field", "code", "detail")},
    }
    return {
        "type": "object",
        "description": "RFC 9457. Some codes add facts, such as `survivor`, `merge` or `rows`.",
        "required": ["type", "title", "status", "detail", "code", "errors"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string", "description": "a stable word"},
            "errors": {"type": "array", "items": field},
        },
    }
