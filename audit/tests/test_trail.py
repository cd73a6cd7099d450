"""What is noted of requests: sign-ins, refusals, downloads, and reads of other people's data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import User
from accounts.sign_in import reset_tokens
from audit import trail
from audit.limits import Limiter
from audit.models import AuditEntry
from merging import services
from tests.factories import EnrollmentFactory, UserFactory

pytestmark = pytest.mark.django_db
Caller = Callable[..., APIClient]


def told(*names: str) -> list[tuple[str, int | None, dict[str, Any]]]:
    """Action, subject and these facts of each entry of a request, in order. Acts have tests of their own."""
    entries = AuditEntry.objects.exclude(action__in=["token.created", "merge.done", "user.created"]).order_by("id")
    return [(e.action, e.subject_id, {name: e.detail[name] for name in names if name in e.detail}) for e in entries]


def sign_in(client: Client, username: str, password: str = "right-or-wrong") -> Any:
    return client.post(reverse("accounts:sign_in"), {"username": username, "password": password})


# sign-in


def test_a_sign_in_and_a_sign_out(client: Client) -> None:
    jane = UserFactory.create(username="jane.doe", password="a-good-password")
    sign_in(client, "jane.doe", "a-good-password")
    client.post(reverse("accounts:sign_out"))

    assert told() == [("session.started", jane.pk, {}), ("session.ended", jane.pk, {})]
    assert set(AuditEntry.objects.values_list("actor", "origin")) == {(jane.pk, "127.0.0.1")}


def test_a_refused_sign_in_names_the_account_that_was_meant_and_never_what_was_typed(client: Client) -> None:
    jane = UserFactory.create(username="jane.doe", email="jane@example.org", password="a-good-password")
    for typed in ("jane.doe", "JANE@example.org", "nobody.at.all"):
        sign_in(client, typed)

    assert told("view") == [
        ("credentials.refused", subject, {"view": "accounts:sign_in"}) for subject in (jane.pk, jane.pk, None)
    ]
    everything = str(list(AuditEntry.objects.values())).lower()
    assert not any(word in everything for word in ("jane", "nobody", "right-or-wrong"))


def test_a_caller_who_is_throttled(client: Client, settings: Any) -> None:
    settings.SIGN_IN_FAILURE_LIMIT = 1
    jane = UserFactory.create(username="jane.doe", password="a-good-password")
    for _ in range(12):
        last = sign_in(client, "jane.doe")
    assert last.status_code == 429

    assert ("caller.throttled", jane.pk, {"code": "too_many_failures"}) in told("code")


def test_a_password_that_was_not_confirmed(client: Client) -> None:
    jane = UserFactory.create(password="a-good-password")
    client.force_login(jane)
    client.post(reverse("accounts:confirm_password"), {"password": "wrong"})

    entry = AuditEntry.objects.get(action="password.not_confirmed")
    assert (entry.actor_id, entry.subject_id, entry.detail["view"]) == (jane.pk, jane.pk, "accounts:confirm_password")


def test_a_reset_that_was_asked_for(client: Client) -> None:
    jane = UserFactory.create(email="jane@example.org")
    for email in ("jane@example.org", "nobody@example.org"):
        client.post(reverse("accounts:forgotten_password"), {"email": email})

    assert told() == [("reset.requested", jane.pk, {}), ("reset.requested", None, {})]


def test_a_reset_that_was_used_and_no_part_of_its_link(client: Client) -> None:
    jane = UserFactory.create(email="jane@example.org")
    token = reset_tokens.make_token(jane)
    path = reverse("accounts:reset_password", args=[jane.pk, token])
    client.post(path, {"new": "a-much-better-one", "again": "a-much-better-one"})

    assert ("reset.used", jane.pk, {}) in told()
    assert token not in str(AuditEntry.objects.values())


# refusals


def test_a_missing_right_by_page_and_by_rest(client: Client, caller: Caller, learner: User, power_user: User) -> None:
    client.force_login(learner)
    client.get(reverse("accounts:users"))
    caller(power_user).post("/api/v1/courses/", {"title": "x"})

    refusals = AuditEntry.objects.filter(action="access.refused").order_by("id")
    assert [(e.actor_id, e.detail) for e in refusals] == [
        (learner.pk, {"method": "GET", "view": "accounts:users"}),
        (power_user.pk, {"method": "POST", "view": "courses-list", "code": "right_missing"}),
    ]
    assert refusals[1].origin.startswith("REST 127.0.0.1 token ")
    assert refusals[1].origin.split()[-1].isdigit()


def test_a_missing_scope(caller: Caller, superadmin: User) -> None:
    caller(superadmin, ["read"]).post("/api/v1/courses/", {"title": "x"})

    assert told("code") == [("access.refused", None, {"code": "scope_missing"})]


def test_a_token_that_is_none_and_not_a_caller_without_one() -> None:
    client = APIClient()
    client.get("/api/v1/users/?search=jane")
    client.credentials(HTTP_AUTHORIZATION="Bearer lms_jane")
    client.get("/api/v1/users/?search=jane")

    assert told("code", "view") == [("token.refused", None, {"code": "token_invalid", "view": "users-list"})]
    assert "jane" not in str(AuditEntry.objects.values())


def test_a_refused_merge_and_undo_by_rest(api: APIClient, learner: User, stranger: User, superadmin: User) -> None:
    body = {"source": learner.pk, "destination": stranger.pk, "policy": "best_record"}
    api.post("/api/v1/merges/", {**body, "digest": "of another plan"}, HTTP_IDEMPOTENCY_KEY="once")
    merge = services.request_merge(
        actor=superadmin, source_id=learner.pk, destination_id=stranger.pk, policy="best_record"
    )
    api.post(f"/api/v1/merges/{merge.pk}/undo/", {"reason": "x"})
    api.post(f"/api/v1/merges/{merge.pk}/undo/", {"reason": "x"})

    refusals = [entry for entry in told("code", "destination", "merge") if entry[0].endswith("refused")]
    assert refusals == [
        ("merge.refused", learner.pk, {"code": "plan_is_stale", "destination": stranger.pk}),
        ("undo.refused", None, {"code": "not_done", "merge": merge.pk}),
    ]


def test_a_refused_merge_by_page(client: Client, superadmin: User, learner: User) -> None:
    other = UserFactory.create(status="inactive")
    client.force_login(superadmin)
    client.post(reverse("merging:new") + f"?source={learner.pk}&destination={other.pk}&step=review", {"digest": "x"})

    assert "merge.refused" in {action for action, _, _ in told()}


def test_a_flood_of_refusals_is_counted_not_written(client: Client, learner: User) -> None:
    client.force_login(learner)
    for _ in range(40):
        client.get(reverse("accounts:users"))

    assert AuditEntry.objects.filter(action="access.refused").count() == 30


def test_what_was_left_out_is_told_by_the_next_entry() -> None:
    now = [0.0]
    limiter = Limiter(each=2, most=3, clock=lambda: now[0])

    assert [limiter.passes("a") for _ in range(4)] == [0, 0, None, None]
    assert [limiter.passes("b") for _ in range(2)] == [2, None]
    now[0] = 61.0
    assert [limiter.passes("a"), limiter.passes("b")] == [1, 0]


# reads


def test_the_page_of_another_and_not_ones_own(client: Client, superadmin: User, learner: User) -> None:
    client.force_login(superadmin)
    for account in (superadmin, learner):
        assert client.get(reverse("accounts:user", args=[account.pk])).status_code == 200

    entry = AuditEntry.objects.get(action="data.viewed")
    assert (entry.actor_id, entry.subject_id) == (superadmin.pk, learner.pk)
    assert entry.detail == {"method": "GET", "view": "accounts:user", "account_id": learner.pk}


def test_the_page_of_an_account_that_is_not_ones_to_see_is_not_a_read(
    client: Client, learner: User, stranger: User
) -> None:
    client.force_login(learner)
    assert client.get(reverse("accounts:user", args=[stranger.pk])).status_code == 404

    assert told() == [("session.started", learner.pk, {})]


@pytest.mark.parametrize("name", ["user", "edit_user", "side"])
def test_every_page_about_an_account(client: Client, superadmin: User, learner: User, name: str) -> None:
    client.force_login(superadmin)
    client.get(reverse(f"accounts:{name}", args=[learner.pk]))

    assert ("data.viewed", learner.pk, {"view": f"accounts:{name}"}) in told("view")


def test_the_page_of_a_merge_and_the_lists(client: Client, superadmin: User, learner: User, stranger: User) -> None:
    merge = services.request_merge(
        actor=superadmin, source_id=learner.pk, destination_id=stranger.pk, policy="best_record"
    )
    client.force_login(superadmin)
    client.get(reverse("merging:merge", args=[merge.pk]))
    client.get(reverse("merging:merges"))
    client.get(reverse("accounts:users"), {"q": "jane"})

    assert told("view", "merge_id", "rows")[1:] == [
        ("data.viewed", learner.pk, {"view": "merging:merge", "merge_id": merge.pk}),
        ("data.listed", None, {"view": "merging:merges", "rows": 1}),
        ("data.listed", None, {"view": "accounts:users", "rows": 3}),
    ]
    assert "jane" not in str(AuditEntry.objects.values())


def test_reads_by_rest(api: APIClient, superadmin: User, learner: User, stranger: User) -> None:
    enrollment = EnrollmentFactory.create(user=learner)
    merge = services.request_merge(
        actor=superadmin, source_id=stranger.pk, destination_id=learner.pk, policy="best_record"
    )
    for path in (
        f"users/{learner.pk}/",
        f"users/{superadmin.pk}/",
        f"users/{learner.pk}/transcript/",
        f"enrollments/{enrollment.pk}/",
        f"merges/{merge.pk}/",
        f"merges/{merge.pk}/changes/",
        "courses/",
    ):
        assert api.get(f"/api/v1/{path}").status_code == 200, path

    assert told("resource", "view") == [
        ("data.read", learner.pk, {"resource": "users", "view": "users-detail"}),
        ("data.read", learner.pk, {"resource": "users", "view": "users-transcript"}),
        ("data.read", learner.pk, {"resource": "enrollments", "view": "enrollments-detail"}),
        ("data.read", stranger.pk, {"resource": "merges", "view": "merges-detail"}),
        ("data.read", stranger.pk, {"resource": "merges", "view": "merges-changes"}),
    ]


def test_a_preview_by_rest_reads_both_accounts(api: APIClient, learner: User, stranger: User) -> None:
    api.post("/api/v1/merges/preview/", {"source": learner.pk, "destination": stranger.pk})

    assert told("destination") == [("data.read", learner.pk, {"destination": stranger.pk})]


def test_lists_by_rest_are_one_entry_each_with_their_rows_and_filters(api: APIClient, learner: User) -> None:
    EnrollmentFactory.create_batch(3, user=learner)
    api.get("/api/v1/enrollments/", {"user": learner.pk, "page_size": 2})
    api.get("/api/v1/users/", {"search": "jane", "role": "learner"})
    api.get("/api/v1/users/", {"search": "nobody has this name"})
    api.get("/api/v1/link-groups/")
    api.get("/api/v1/audit-entries/")

    assert told("resource", "rows", "filters") == [
        ("data.listed", learner.pk, {"resource": "enrollments", "rows": 2, "filters": ["user"]}),
        ("data.listed", learner.pk, {"resource": "users", "rows": 1, "filters": ["role", "search"]}),
        ("data.listed", None, {"resource": "audit-entries", "rows": 3, "filters": []}),
    ]
    assert "jane" not in str(AuditEntry.objects.values())


def test_a_learners_own_lists_are_not_noted(caller: Caller, learner: User) -> None:
    EnrollmentFactory.create(user=learner)
    caller(learner).get("/api/v1/enrollments/")

    assert told() == []


# downloads


def test_downloads_of_lists_and_not_of_templates(client: Client, superadmin: User) -> None:
    client.force_login(superadmin)
    client.get(reverse("bulk:template", args=["users"]))
    client.get(reverse("bulk:current", args=["users"]))

    assert told("kind")[1:] == [("data.exported", None, {"kind": "users"})]


def test_outside_a_request_nothing_is_noted() -> None:
    trail.seen(1)
    with pytest.raises(ValueError, match="x"), trail.attempt("merge.refused", 1):
        raise ValueError("x")

    assert told() == []
