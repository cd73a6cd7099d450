"""The rows of REST. `own` and `foreign` are the learners of the cast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.rights.matrix import Cell, Operation

# stranger, inactive, demoted | learner | blind, viewer, editor, deleter | superadmin
ALL = "www o oooo o"
SUPER = "www n nnnn o"
OWN_READ = "www o hooo o"
FOREIGN = "www h hhhh o"
NEW_OWN = "www n nnoo o"
NEW_FOREIGN = "www n nnhh o"
CHANGE_OWN = "www n hnoo o"
NO_METHOD = "www m mmmm m"
R, W, A, M, U = ("read",), ("write",), ("admin",), ("merge",), ("undo",)

CATALOGUE: Mapping[str, tuple[str, dict[str, Any]]] = {
    "profile-fields": ("accounts.ProfileField", {"key": "k", "label": "x"}),
    "branches": ("accounts.Branch", {"name": "x"}),
    "courses": ("learning_records.Course", {"title": "x"}),
    "learning-plans": ("learning_records.LearningPlan", {"title": "x"}),
    "certifications": ("learning_records.Certification", {"title": "x"}),
    "badges": ("rewards.Badge", {"name": "x"}),
    "rewards": ("rewards.Reward", {"name": "x"}),
    "subscription-plans": ("commerce.SubscriptionPlan", {"name": "x"}),
}
OWNED: Mapping[str, tuple[str, dict[str, Any]]] = {
    "learning-plan-enrollments": ("learning_records.LearningPlanEnrollment", {"learning_plan": "$learning_records.LearningPlan*"}),
    "enrollments": ("learning_records.Enrollment", {"course": "$learning_records.Course*"}),
    "certificates": ("learning_records.Certificate", {"course": "$learning_records.Course*"}),
    "certification-awards": ("learning_records.CertificationAward", {"certification": "$learning_records.Certification*"}),
    "competency-awards": ("learning_records.CompetencyAward", {"competency": "x", "level": 1}),
    "external-trainings": ("learning_records.ExternalTraining", {"title": "x"}),
    "learning-records": ("learning_records.LearningRecord", {"kind": "activity", "title": "x", "completed_at": "2026-01-01T00:00:00Z"}),
    "badge-awards": ("rewards.BadgeAward", {"badge": "$rewards.Badge*"}),
    "point-entries": ("rewards.PointEntry", {"amount": 1}),
    "coin-entries": ("rewards.CoinEntry", {"amount": 1}),
    "reward-requests": ("rewards.RewardRequest", {"reward": "$rewards.Reward*"}),
    "subscriptions": ("commerce.Subscription", {"plan": "$commerce.SubscriptionPlan*"}),
    "transactions": ("commerce.Transaction", {"amount": "1.00", "currency": "EUR"}),
}  # fmt: skip
APPEND_ONLY = ("point-entries", "coin-entries")


def row(method: str, route: str, subject: str, outcomes: str, scopes: tuple[str, ...], **more: Any) -> Cell:
    operation = Operation("REST", method, f"api/v1/{route}", **more)
    late = ("write", "admin") if route.startswith("users/") and method != "GET" else ()
    return Cell(operation, subject, outcomes.replace(" ", ""), scopes, by_token=bool(scopes), late=late)


def rows() -> Iterator[Cell]:
    for name, (model, body) in CATALOGUE.items():
        yield from _catalogue(name, model, body)
    for name, (model, body) in OWNED.items():
        yield from _owned(name, model, body)
    yield from _voided()
    yield from _tracking()
    yield from _users()
    yield from _merges()
    yield from _others()


def _catalogue(name: str, model: str, body: dict[str, Any]) -> Iterator[Cell]:
    one = f"{name}/<pk>/"
    yield row("GET", f"{name}/", "", ALL, R)
    yield row("POST", f"{name}/", "", SUPER, W, body=body)
    yield row("GET", one, "", ALL, R, target=f"${model}*")
    yield row("PATCH", one, "", SUPER, W, target=f"${model}*")


def _owned(name: str, model: str, body: dict[str, Any]) -> Iterator[Cell]:
    body, one, row_of = {"user": "$user"} | body, f"{name}/<pk>/", f"${model}"
    fixed = name in APPEND_ONLY
    for subject, read, new, change in (
        ("own", OWN_READ, NEW_OWN, CHANGE_OWN),
        ("foreign", FOREIGN, NEW_FOREIGN, FOREIGN),
    ):
        yield row("GET", f"{name}/", subject, read, R, query="user=$user", target=row_of, is_list=True)
        yield row("POST", f"{name}/", subject, new, W, body=body)
        yield row("GET", one, subject, read, R, target=row_of)
        yield row("PATCH", one, subject, NO_METHOD if fixed else change, W, target=row_of)


def _voided() -> Iterator[Cell]:
    for name, model in (("enrollments", "Enrollment"), ("learning-records", "LearningRecord")):
        for act in ("void", "restore"):
            for subject, outcomes in (("own", CHANGE_OWN), ("foreign", FOREIGN)):
                path, target = f"{name}/<pk>/{act}/", f"$learning_records.{model}"
                body = {"reason": "x"} if act == "void" else {}
                yield row("POST", path, subject, outcomes, W, target=target, body=body)


def _tracking() -> Iterator[Cell]:
    name, target = "material-tracking", "$learning_records.MaterialTracking"
    for subject, read, new, change in (
        ("own", OWN_READ, NEW_OWN, CHANGE_OWN),
        ("foreign", FOREIGN, NEW_FOREIGN, FOREIGN),
    ):
        body = {"enrollment": "$learning_records.Enrollment", "material": "x"}
        yield row("GET", f"{name}/<pk>/", subject, read, R, target=target)
        yield row("POST", f"{name}/", subject, new, W, body=body)
        yield row("PATCH", f"{name}/<pk>/", subject, change, W, target=target)
    yield row("GET", f"{name}/", "", ALL, R)


PLAIN = {"phone": {"phone": "1"}, "e-mail": {"email": "n@example.org"}}
GRAVE: Mapping[str, dict[str, Any]] = {
    "role": {"role": "power_user"},
    "rights": {"rights": []},
    "assignments": {"assigned_users": []},
    "password": {"password": "correct horse battery"},
}
NEW: dict[str, Any] = {"username": "n", "email": "n@example.org", "branches": ["$accounts.Branch*"]}


def _users() -> Iterator[Cell]:
    yield row("GET", "users/", "own", OWN_READ, R, query="username=own", is_list=True)
    yield row("GET", "users/", "foreign", FOREIGN, R, query="username=foreign", is_list=True)
    yield row("GET", "users/", "staff", FOREIGN, R, query="username=staff", is_list=True)
    yield row("POST", "users/", "", NEW_OWN, W, body=NEW, what="learner")
    yield row("POST", "users/", "", "www n nnnn o", A, body=NEW | {"role": "superadmin"}, what="superadmin")
    for subject, read, change in (("own", OWN_READ, CHANGE_OWN), ("foreign", FOREIGN, FOREIGN), ("staff", FOREIGN, FOREIGN)):  # fmt: skip
        plain = A if subject == "staff" else W
        yield row("GET", "users/<pk>/", subject, read, R, target="$user")
        yield row("GET", "users/<pk>/transcript/", subject, read, R, target="$user")
        for what, body in PLAIN.items():
            yield row("PATCH", "users/<pk>/", subject, change, plain, target="$user", body=body, what=what)
        for what, body in GRAVE.items():
            outcomes = "www n hnnn o" if subject == "own" else FOREIGN
            yield row("PATCH", "users/<pk>/", subject, outcomes, A, target="$user", body=body, what=what)
        for act in ("deactivate", "reactivate"):
            yield row("POST", f"users/<pk>/{act}/", subject, change, plain, target="$user")
        gone = "www n hnno o" if subject == "own" else FOREIGN
        yield row("DELETE", "users/<pk>/", subject, gone, plain, target="$user")


def _merges() -> Iterator[Cell]:
    merge = {"destination": "$other"}
    for subject in ("own", "foreign", "staff"):
        body = {"source": "$user"} | merge
        for path, scopes in (("merges/", M), ("merges/preview/", ("merge", "read"))):
            yield row("POST", path, subject, "www n nnhh o", scopes, body=body)
    yield row("GET", "merges/", "", ALL, ("read", "merge"))
    for path in ("merges/<pk>/", "merges/<pk>/changes/"):
        yield row("GET", path, "", FOREIGN, ("read", "merge"), target="$merging.Merge*")
    yield row("POST", "merges/<pk>/undo/", "", FOREIGN, U, target="$merging.Merge*", body={"reason": "x"})


def _others() -> Iterator[Cell]:
    yield row("GET", "link-groups/", "", ALL, R)
    yield row("GET", "link-groups/<pk>/", "", FOREIGN, R, target="$linking.LinkGroup*")
    yield row("POST", "links/", "", "www o nnnn n", W)
    yield row("GET", "links/<pk>/", "", FOREIGN, R, target="$linking.Link*")
    yield row("GET", "webhooks/", "", SUPER, R)
    yield row("POST", "webhooks/", "", SUPER, A, body={"url": "https://example.org/"})
    for method, scopes in (("GET", R), ("PATCH", A), ("DELETE", A)):
        yield row(method, "webhooks/<pk>/", "", SUPER, scopes, target="$integrations.Webhook*")
    yield row("GET", "webhooks/<pk>/deliveries/", "", SUPER, R, target="$integrations.Webhook*")
    yield row("GET", "audit-entries/", "", SUPER, R)
    yield row("GET", "audit-entries/<pk>/", "", SUPER, R, target="$audit.AuditEntry*")
    for path in ("schema/", "docs/"):
        yield row("GET", path, "", "ooo o oooo o", ())
    yield Cell(Operation("REST", "GET", "api/"), "", "hhhhhhhhh")
