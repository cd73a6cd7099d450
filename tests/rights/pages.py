"""The rows of pages, of CSV files and of the admin site, by session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.rights.matrix import Cell, Operation

# stranger, inactive, demoted | learner | blind, viewer, editor, deleter | superadmin
ANYBODY = "ooo o oooo o"
SIGNED_IN = "www o oooo o"
VIEWERS = "www n nooo o"
EDITORS = "www n nnoo o"
SUPER = "www n nnnn o"
SEE = {"own": "www o hooo o", "foreign": "www h hhhh o", "staff": "www h hhhh o"}
WRITE = {"own": "www n nnoo o", "foreign": "www n nnhh o", "staff": "www n nnhh o"}
ACT = {"own": "www n hnoo o", "foreign": "www h hhhh o", "staff": "www h hhhh o"}
DELETE = {"own": "www n nnno o", "foreign": "www n nnnh o", "staff": "www n nnnh o"}
ADMIN = "www w wwww o"
NOBODY = "www w wwww n"
KEPT = {
    "merging/merge": "merging.Merge",
    "merging/journalentry": "merging.JournalEntry",
    "auth/group": "auth.Group",
    "notices/notice": "notices.Notice",
}
BOTH = ("GET", "POST")


def row(method: str, route: str, subject: str, outcomes: str, **more: Any) -> Cell:
    door = more.pop("door", "pages")
    return Cell(Operation(door, method, route, **more), subject, outcomes.replace(" ", ""))


def rows() -> Iterator[Cell]:
    yield from _public()
    yield from _own_affairs()
    yield from _people()
    yield from _records()
    yield from _merges()
    yield from _files()
    yield from _consolidations()
    yield from _admin()


def _public() -> Iterator[Cell]:
    for route in ("health/", "ready/", "favicon.ico", "sign-in/", "forgotten-password/", "certificates/check/"):
        yield row("GET", route, "", ANYBODY)
    yield row("POST", "sign-in/", "", ANYBODY)
    yield row("POST", "forgotten-password/", "", ANYBODY)
    for method in BOTH:
        yield row(method, "reset-password/<int:account_id>/<str:token>/", "own", "hhh h hhhh h", target="$user")


def _own_affairs() -> Iterator[Cell]:
    for route in ("", "preferences/", "preferences/password/", "preferences/sessions/"):
        yield row("GET", route, "", SIGNED_IN)
    for method in BOTH:
        yield row(method, "preferences/api-tokens/", "", "www n oooo o")
    yield row("GET", "confirm-password/", "", SIGNED_IN)
    for route in ("appearance/", "password/", "sessions/end-others/"):
        yield row("POST", f"preferences/{route}", "", SIGNED_IN)
    yield row("POST", "sign-out/", "", "www w wwww w")
    yield row("POST", "preferences/sessions/<str:handle>/end/", "", "www h hhhh h")
    yield row("POST", "preferences/api-tokens/<int:token_id>/revoke/", "", "www h hhhh h", target="0")
    for route in ("", "live/"):
        yield row("GET", f"preferences/linked-accounts/{route}", "", SIGNED_IN)
    for method in BOTH:
        yield row(method, "preferences/linked-accounts/link/", "", "www o nnnn n")


def _people() -> Iterator[Cell]:
    for route in ("users/", "users/search/", "branches/"):
        yield row("GET", route, "", VIEWERS)
    for method in BOTH:
        yield row(method, "users/new/", "", EDITORS)
        yield row(method, "branches/new/", "", SUPER)
        yield row(method, "branches/<int:branch_id>/edit/", "", SUPER, target="$accounts.Branch*")
    for subject, see in SEE.items():
        yield row("GET", "users/<int:account_id>/", subject, see, target="$user")
        side = see.replace("www o h", "www n n").replace("www h h", "www n n")
        yield row("GET", "users/<int:account_id>/side/", subject, side, target="$user")
        for method in BOTH:
            yield row(method, "users/<int:account_id>/edit/", subject, WRITE[subject], target="$user")
            for act in ("deactivate", "reactivate", "send-reset", "sign-out"):
                yield row(method, f"users/<int:account_id>/{act}/", subject, ACT[subject], target="$user")
            yield row(method, "users/<int:account_id>/delete/", subject, DELETE[subject], target="$user")


def _records() -> Iterator[Cell]:
    record, enrollment = "$learning_records.LearningRecord", "$learning_records.Enrollment"
    for subject in ("own", "foreign"):
        yield row("GET", "records/<int:record_id>/", subject, SEE[subject], target=record)
        for act in ("void", "restore"):
            yield row("POST", f"records/<int:record_id>/{act}/", subject, WRITE[subject], target=record)
        look = {"own": VIEWERS, "foreign": "www n nhhh o"}[subject]
        yield row("GET", "enrollments/<int:pk>/", subject, look, target=enrollment)
        change = {"own": "www n nnoo o", "foreign": "www n nhhh o"}[subject]
        yield row("POST", "enrollments/<int:pk>/", subject, change, target=enrollment)
        for method in BOTH:
            for route in ("enroll/", "records/new/"):
                yield row(method, f"users/<int:account_id>/{route}", subject, WRITE[subject], target="$user")


def _merges() -> Iterator[Cell]:
    yield row("GET", "merges/", "", EDITORS)
    for subject in ("own", "foreign", "staff"):
        for method in BOTH:
            query = "source=$user&policy=best_record&step=1"
            yield row(method, "merges/new/", subject, WRITE[subject], query=query)
    yield row("GET", "merges/<int:merge_id>/", "", "www n nnhh o", target="$merging.Merge*")
    for method in BOTH:
        yield row(method, "merges/<int:merge_id>/undo/", "", SUPER, target="$merging.Merge*")


def _files() -> Iterator[Cell]:
    yield row("GET", "imports/", "", EDITORS)
    for kind in ("users", "merges", "records"):
        yield row("GET", "imports/<slug:kind>/template/", "", EDITORS, target=kind, what=kind)
        yield row("GET", "imports/<slug:kind>/current/", "", EDITORS, target=kind, what=kind)
        yield row("POST", "imports/<slug:kind>/upload/", "", EDITORS, target=kind, what=kind)
    others = "www n nnhh o"
    for route, method in (("", "GET"), ("progress/", "GET"), ("result/", "GET"), ("cancel/", "POST"), ("confirm/", "POST"), ("confirm/", "GET")):  # fmt: skip
        yield row(method, f"imports/<int:pk>/{route}", "", others, target="$bulk.Import*")
    texts = {
        "users": "username,phone\n{user},2\n",
        "records": "user,kind,title,completed_at\n{user},activity,x,2026-01-01\n",
        "merges": "source,destination\n{user},{other}\n",
    }
    for kind, text in texts.items():
        for subject in ("own", "foreign", "staff"):
            outcomes = "www n nnhh o" if kind == "merges" or subject != "own" else EDITORS
            if (kind, subject) == ("merges", "staff"):
                outcomes = "www n nnhh h"  # no learner: refused to everybody
            body = {"csv": text}
            yield row("POST", "imports/<slug:kind>/upload/", subject, outcomes, door="CSV", target=kind, what=kind, body=body)  # fmt: skip


def _consolidations() -> Iterator[Cell]:
    yield row("GET", "consolidations/", "", EDITORS)
    for subject in ("own", "foreign"):
        for method in BOTH:
            query = "user=$user" if method == "GET" else ""
            body = {"user": "$user"} if method == "POST" else {}
            yield row(method, "consolidations/new/", subject, WRITE[subject], query=query, body=body)
    target = "$consolidation.Consolidation*"
    for route in ("", "identify/", "update/", "remove/"):
        yield row("GET", f"consolidations/<int:pk>/{route}", "", "www n nnhh o", target=target)
    yield row("POST", "consolidations/<int:pk>/identify/", "", "www n nnhh h", target=target, what="no account named")
    for route in ("update/profile/", "update/enroll/", "remove/"):
        yield row("POST", f"consolidations/<int:pk>/{route}", "", "www n nnhh o", target=target)
    completion = "consolidations/<int:pk>/update/completion/<int:enrollment>/"
    yield row("POST", completion, "", "www n nnhh o", target=target)


def _admin() -> Iterator[Cell]:
    def page(method: str, route: str, outcomes: str = ADMIN, **more: Any) -> Cell:
        return row(method, f"admin/{route}", "", outcomes, door="admin site", **more)

    yield page("GET", "")
    yield page("GET", "login/", ANYBODY)
    yield page("POST", "logout/", "ooo o oooo w")
    yield page("GET", "password_change/", ANYBODY)
    for route in ("password_change/done/", "jsi18n/"):
        yield page("GET", route)
    yield page("GET", "autocomplete/", "www w wwww n")
    yield page("GET", "r/<path:content_type_id>/<path:object_id>/", "www w wwww h", target="0")
    yield page("GET", "<app_label>/")
    yield page("GET", "<url>", "www w wwww h")
    for name, model in KEPT.items():
        target, one = f"${model}*", f"{name}/<path:object_id>/"
        add = ADMIN if name in ("merging/merge", "auth/group") else NOBODY
        change = ADMIN if name == "auth/group" else NOBODY
        for route in (f"{name}/", one, f"{one}history/", f"{one}change/"):
            yield page("GET", route, target=target)
        yield page("POST", f"{one}change/", change, target=target)
        for method in BOTH:
            yield page(method, f"{name}/add/", add)
            yield page(method, f"{one}delete/", change, target=target)
