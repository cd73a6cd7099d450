"""What every address under /api/ has in common."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, User
from tests.factories import CourseFactory, UserFactory

JSON = "application/json"


@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/", "/api/v1/nothing/", "/api/v2/users/", "/api/v1/users/x/", "/api/v1/users"]
)
def test_it_answers_unknown_addresses_with_a_problem(api: Any, problem: Any, path: str) -> None:
    problem(api.get(path), 404, "not_found")


def test_it_takes_an_id_of_any_length(api: Any, problem: Any) -> None:
    problem(api.get(f"/api/v1/users/{'9' * 18}/"), 404, "not_found")
    problem(api.get(f"/api/v1/users/{'9' * 400}/"), 404, "not_found")


@pytest.mark.parametrize("method", ["put", "options", "delete"])
def test_it_refuses_other_methods(api: Any, problem: Any, method: str) -> None:
    response = getattr(api, method)("/api/v1/courses/")
    problem(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == "GET, POST, HEAD"


def test_it_refuses_to_change_a_ledger(api: Any, problem: Any, learner: User) -> None:
    entry = api.post("/api/v1/point-entries/", {"user": learner.pk, "amount": 5}, format="json").json()
    problem(api.patch(f"/api/v1/point-entries/{entry['id']}/", {"amount": 9}, format="json"), 405)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", ""])
def test_it_refuses_other_content_types(api: Any, problem: Any, kind: str) -> None:
    problem(api.generic("POST", "/api/v1/courses/", b"title=x", content_type=kind), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"nonsense",
        b'{"title": NaN}',
        b'{"title": Infinity}',
        b'{"title": 1e999}',
        b'{"title": ' + b"9" * 5000 + b"}",
        b'{"title": "\xff\xfe"}',
        b'{"title": "a\\u0000b"}',
        b'{"title": "\\ud800"}',
        b'{"a\\u0000": 1}',
        b'{"title": "a", "title": "b"}',
        b"[" * 100_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"null",
        b"[]",
        b"true",
        b"3",
        b'"text"',
        b"[[]]",
        b"[null]",
        b"\xef\xbb\xbf{}",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_it_refuses_bodies_that_are_no_sound_json(api: Any, problem: Any, body: bytes) -> None:
    problem(api.generic("POST", "/api/v1/courses/", body, content_type=JSON), 400)


def test_it_names_the_field_with_a_null_character(api: Any, problem: Any) -> None:
    body = problem(api.post("/api/v1/courses/", {"title": "a\x00b"}, format="json"), 400)
    assert body["errors"][0] == {
        "field": "title",
        "code": "null_characters_not_allowed",
        "detail": "Null characters are not allowed.",
    }


def test_it_names_the_key_that_stands_twice(api: Any, problem: Any) -> None:
    response = api.generic("POST", "/api/v1/courses/", b'{"title": "a", "title": "b"}', content_type=JSON)
    assert problem(response, 400)["errors"][0]["code"] == "duplicate_key"


def test_it_refuses_a_body_of_ten_megabytes(api: Any, problem: Any) -> None:
    body = json.dumps({"title": "x" * 10_000_000})
    problem(api.generic("POST", "/api/v1/courses/", body, content_type=JSON), 413, "too_large")


def test_it_refuses_unknown_and_read_only_fields(api: Any, problem: Any, learner: User) -> None:
    body = problem(
        api.patch(f"/api/v1/users/{learner.pk}/", {"id": 7, "merged_into": 7, "nonsense": 1}, format="json"), 400
    )
    assert {(e["field"], e["code"]) for e in body["errors"]} == {
        ("id", "read_only"),
        ("merged_into", "read_only"),
        ("nonsense", "unknown_field"),
    }


@pytest.mark.parametrize("value", [1, True, None, [], {}, "", "   ", "x" * 201])
def test_it_takes_text_for_text_alone(api: Any, problem: Any, value: Any) -> None:
    body = problem(api.post("/api/v1/courses/", {"title": value}, format="json"), 400)
    assert body["errors"][0]["field"] == "title"


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-01",
        "2026-01-01T12:00:00",
        "yesterday",
        5,
        True,
        "2026-13-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_it_takes_times_with_a_zone_alone(api: Any, problem: Any, learner: User, value: Any) -> None:
    entry = {"user": learner.pk, "amount": 1, "occurred_at": value}
    body = problem(api.post("/api/v1/point-entries/", entry, format="json"), 400)
    assert body["errors"][0]["field"] == "occurred_at"


def test_it_asks_for_a_token(problem: Any, db: None) -> None:
    response = Client().get("/api/v1/users/")
    problem(response, 401, "not_authenticated")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("key", ["nonsense", "lms_nonsense", "", "lms_" + "x" * 5000, "\xff"])
def test_it_refuses_unknown_tokens(problem: Any, db: None, key: str) -> None:
    problem(Client(headers={"Authorization": f"Bearer {key}"}).get("/api/v1/users/"), 401)


def test_it_refuses_an_expired_token(api: Any, problem: Any) -> None:
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    problem(api.get("/api/v1/users/"), 401, "token_invalid")


def test_it_keeps_no_key(api: Any) -> None:
    token = ApiToken.objects.get()
    sent = api._credentials["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    assert sent not in (token.hash, token.name, token.start)
    assert len(token.hash) == 64


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("read", "post", "/api/v1/courses/"),
        ("write", "get", "/api/v1/courses/"),
        ("write", "post", "/api/v1/merges/"),
        ("read", "post", "/api/v1/merges/"),
        ("merge", "post", "/api/v1/merges/1/undo/"),
        ("write", "post", "/api/v1/merges/1/undo/"),
        ("merge", "post", "/api/v1/users/"),
    ],
)
def test_it_holds_tokens_to_their_scopes(
    caller: Any, superadmin: User, problem: Any, scope: str, method: str, path: str
) -> None:
    problem(getattr(caller(superadmin, [scope]), method)(path), 403, "scope_missing")


def test_it_takes_the_browser_session_with_its_csrf_token(superadmin: User, problem: Any) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(superadmin, backend="accounts.backends.PasswordBackend")
    assert browser.get("/api/v1/courses/").status_code == 200
    problem(browser.post("/api/v1/courses/", {"title": "a"}, content_type=JSON), 403)
    browser.cookies["csrftoken"] = "a" * 32
    answer = browser.post("/api/v1/courses/", {"title": "a"}, content_type=JSON, headers={"X-CSRFToken": "a" * 32})
    assert answer.status_code == 201


def test_it_pages_through_a_list_both_ways(api: Any) -> None:
    made = [CourseFactory.create(title=f"T{n % 3}").pk for n in range(7)]
    for ordering, expected in (
        ("id", made),
        ("-id", made[::-1]),
        ("title", sorted(made, key=lambda pk: ((pk - made[0]) % 3, pk))),
    ):
        page = api.get("/api/v1/courses/", {"page_size": 3, "ordering": ordering}).json()
        assert page["previous"] is None
        seen, pages = [], [page]
        while page["next"]:
            page = api.get(page["next"]).json()
            pages.append(page)
        seen = [row["id"] for one in pages for row in one["results"]]
        assert seen == expected
        back = [pages[-1]]
        while back[-1]["previous"]:
            back.append(api.get(back[-1]["previous"]).json())
        assert [row["id"] for one in back[::-1] for row in one["results"]] == expected


def test_it_pages_past_empty_values(api: Any, learner: User) -> None:
    from tests.factories import EnrollmentFactory

    empty = [EnrollmentFactory.create(user=learner, expires_at=None).pk for _ in range(3)]
    dated = [EnrollmentFactory.create(user=learner, expires_at=f"203{n}-01-01T00:00:00Z").pk for n in range(3)]
    for ordering, expected in (("expires_at", dated + empty), ("-expires_at", dated[::-1] + empty[::-1])):
        page = api.get("/api/v1/enrollments/", {"page_size": 2, "ordering": ordering}).json()
        seen = [row["id"] for row in page["results"]]
        while page["next"]:
            page = api.get(page["next"]).json()
            seen += [row["id"] for row in page["results"]]
        assert seen == expected
        while page["previous"]:
            page = api.get(page["previous"]).json()
        assert [row["id"] for row in page["results"]] == expected[:2]


def test_it_meets_every_row_once_while_others_arrive(api: Any) -> None:
    made = [CourseFactory.create().pk for _ in range(4)]
    page = api.get("/api/v1/courses/", {"page_size": 2, "ordering": "-id"}).json()
    CourseFactory.create()
    rest = api.get(page["next"]).json()
    assert [row["id"] for one in (page, rest) for row in one["results"]] == made[::-1]


@pytest.mark.parametrize(
    "query",
    [
        "page_size=0",
        "page_size=501",
        "page_size=x",
        "page_size=-1",
        "ordering=nonsense",
        "ordering=--id",
        "nonsense=1",
        "user=x",
        "user=0",
        "user=99999999999999999999",
        "status=nonsense",
        "historical=maybe",
        "course=%00",
    ],
)
def test_it_names_the_parameter_that_is_wrong(api: Any, problem: Any, query: str) -> None:
    body = problem(api.get(f"/api/v1/enrollments/?{query}"), 400, "invalid")
    assert body["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize("cursor", ["x", "AAAA", "W10", "WyJpZCIsMCxudWxsLCJ4Il0", "%00", "bnVsbA", "é", "W1tbW1tb"])
def test_it_refuses_forged_cursors(api: Any, problem: Any, cursor: str) -> None:
    problem(api.get("/api/v1/courses/", {"cursor": cursor}), 404, "invalid_cursor")


@pytest.mark.parametrize("value", [{}, [], "x\x00", 10**30, "nonsense", True])
def test_it_refuses_forged_places(api: Any, value: Any) -> None:
    from rest_contract.paging import pack

    for ordering, path in (("title", "courses"), ("completed_at", "enrollments"), ("level", "competency-awards")):
        answer = api.get(f"/api/v1/{path}/", {"ordering": ordering, "cursor": pack([ordering, 0, value, 1])})
        assert answer.status_code in (200, 404)


def test_it_refuses_lists_that_are_too_long(api: Any, problem: Any) -> None:
    problem(api.post("/api/v1/courses/", [{"title": "a"}] * 1001, format="json"), 400)


def test_it_says_which_rows_of_a_list_are_wrong_and_writes_none(api: Any, problem: Any) -> None:
    body = problem(
        api.post("/api/v1/courses/", [{"title": "a"}, {"title": 5}, {"title": "c", "x": 1}], format="json"), 400
    )
    assert {error["field"] for error in body["errors"]} == {"1.title", "2.x"}
    assert api.get("/api/v1/courses/").json()["results"] == []


def test_it_answers_a_list_in_its_order(api: Any) -> None:
    titles = [f"T{n}" for n in (3, 1, 2)]
    answer = api.post("/api/v1/courses/", [{"title": title} for title in titles], format="json")
    assert answer.status_code == 201
    assert [row["title"] for row in answer.json()] == titles


def test_it_serves_the_document_and_its_page_without_a_network(client: Client, db: None) -> None:
    document = client.get("/api/v1/schema/")
    assert document.json()["openapi"] == "3.1.0"
    page = client.get("/api/v1/docs/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "http://" not in text.replace("http://testserver", "")
    assert "https://" not in text
    assert "<script>" not in text


def test_it_speaks_in_problems_when_the_portal_fails(api: Any, problem: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("learning_records.rest.courses.Courses.list", lambda *args, **kwargs: 1 / 0)
    problem(api.get("/api/v1/courses/"), 500, "error")


def test_it_hides_accounts_in_the_same_words_as_unknown_ones(caller: Any, power_user: User, stranger: User) -> None:
    client = caller(power_user)
    unseen = client.get(f"/api/v1/users/{stranger.pk}/")
    unknown = client.get("/api/v1/users/999999/")
    assert unseen.status_code == unknown.status_code == 404
    assert unseen.content == unknown.content


def test_it_tells_the_same_about_unseen_and_unknown_references(
    caller: Any, power_user: User, stranger: User, problem: Any
) -> None:
    client = caller(power_user)
    answers = [
        client.post("/api/v1/point-entries/", {"user": pk, "amount": 1}, format="json") for pk in (stranger.pk, 999_999)
    ]
    assert problem(answers[0], 404) == problem(answers[1], 404)
    assert answers[0].json()["errors"][0]["field"] == "user"


def test_it_lets_learners_read_their_own_rows_and_write_none(caller: Any, learner: User, problem: Any) -> None:
    other = UserFactory.create()
    from tests.factories import PointEntryFactory

    mine = PointEntryFactory.create(user=learner)
    PointEntryFactory.create(user=other)
    client = caller(learner)
    assert [row["id"] for row in client.get("/api/v1/point-entries/").json()["results"]] == [mine.pk]
    problem(
        client.post("/api/v1/point-entries/", {"user": learner.pk, "amount": 1}, format="json"), 403, "right_missing"
    )
    problem(client.post("/api/v1/courses/", {"title": "x"}, format="json"), 403, "right_missing")
    problem(client.get("/api/v1/audit-entries/"), 403)
