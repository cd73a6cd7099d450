"""One word finds one person: what somebody signs in with is nobody else's number, whichever door it comes through."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.errors import FieldsInvalid
from accounts.models import AssignedUser, User
from accounts.services import create_token, create_user, create_users, update_user, update_users
from bulk import services as bulk
from bulk.models import ImportRow
from merging import services as merging
from tests.concurrency import apart, before_commit, wait_until_blocked
from tests.factories import PowerUserFactory, SuperadminFactory, UserFactory

pytestmark = pytest.mark.django_db

SIGN_IN, NUMBERS = ("username", "email"), ("employee_number", "external_id")
WORD = "Word-1@example.com"
PAIRS = [(mine, theirs) for mine in SIGN_IN for theirs in NUMBERS]
PAIRS += [(mine, theirs) for mine in NUMBERS for theirs in SIGN_IN]


@pytest.fixture
def root() -> User:
    return SuperadminFactory.create(username="root")


@pytest.fixture
def api(root: User) -> APIClient:
    key, _ = create_token(owner=root)
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


def person(name: str, **values: Any) -> User:
    return UserFactory.create(
        username=values.pop("username", name), email=values.pop("email", f"{name}@e.org"), **values
    )


def by_page(root: User, account: User, field: str, word: str) -> str:
    client = Client()
    client.force_login(root)
    form = {
        "username": account.username,
        "email": account.email,
        "role": "learner",
        "language": "en",
        "timezone": "UTC",
    }
    response = client.post(f"/users/{account.pk}/edit/", {**form, field: word})
    assert response.status_code == 200
    return " ".join(response.context["form"].errors[field])


def by_rest(root: User, account: User, field: str, word: str) -> str:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {create_token(owner=root)[0]}")
    response = client.patch(f"/api/v1/users/{account.pk}/", {field: word}, format="json")
    assert response.status_code == 409, response.content
    (error,) = response.json()["errors"]
    assert (error["field"], error["code"]) == (field, "unique")
    return str(error["detail"])


def by_rest_many(root: User, account: User, field: str, word: str) -> str:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {create_token(owner=root)[0]}")
    rows = [{"username": name, "email": f"{name}@e.org"} for name in ("n1", "n2")]
    response = client.post("/api/v1/users/", [rows[0], {**rows[1], field: word}], format="json")
    assert response.status_code == 409, response.content
    (error,) = response.json()["errors"]
    assert (error["field"], error["code"]) == (f"1.{field}", "unique")
    return str(error["detail"])


def by_csv(root: User, account: User, field: str, word: str) -> str:
    text = f"id,{field}\n{account.pk},{word}\n"
    file = bulk.upload(actor=root, kind="users", file=io.BytesIO(text.encode()), name="u.csv", size=len(text))
    while bulk.work(file.pk):
        pass
    row = ImportRow.objects.get(import_file=file)
    assert (row.verdict, row.column) == (ImportRow.Verdict.REFUSED, field)
    return row.reason


DOORS: Mapping[str, Callable[[User, User, str, str], str]] = {
    "page": by_page,
    "REST": by_rest,
    "REST, many": by_rest_many,
    "CSV": by_csv,
}


class TestAWordOfAnotherPerson:
    @pytest.mark.parametrize(("mine", "theirs"), PAIRS)
    @pytest.mark.parametrize("door", DOORS)
    def test_it_is_refused_at_every_door(self, root: User, door: str, mine: str, theirs: str) -> None:
        person("other", **{theirs: WORD})
        account = person("jane")
        reason = DOORS[door](root, account, mine, WORD.lower())
        assert "can't find two people" in reason
        assert not User.objects.filter(**{f"{mine}__iexact": WORD}).exists()

    @pytest.mark.parametrize(("mine", "theirs"), PAIRS)
    def test_old_ones_count_too(self, root: User, mine: str, theirs: str) -> None:
        old, now = person("old", **{theirs: WORD}), person("now")
        merging.request_merge(actor=root, source_id=old.pk, destination_id=now.pk, policy="keep_primary")
        User.objects.filter(pk=old.pk).update(**{theirs: "released"})
        with pytest.raises(FieldsInvalid):
            update_user(actor=root, account_id=person("jane").pk, data={mine: WORD})

    @pytest.mark.parametrize(("mine", "theirs"), PAIRS)
    def test_ones_own_and_those_of_ones_merged_accounts_are_free(self, root: User, mine: str, theirs: str) -> None:
        same = person("same", **{theirs: WORD})
        update_user(actor=root, account_id=same.pk, data={mine: WORD})
        old, now = person("old", **{theirs: "old@example.com"}), person("now")
        merging.request_merge(actor=root, source_id=old.pk, destination_id=now.pk, policy="keep_primary")
        if mine in NUMBERS:
            update_user(actor=root, account_id=now.pk, data={mine: "old@example.com"})

    @pytest.mark.parametrize("number", NUMBERS)
    def test_two_may_hold_the_same_number(self, root: User, number: str) -> None:
        person("other", **{number: WORD})
        update_user(actor=root, account_id=person("jane").pk, data={number: WORD})

    def test_two_rows_of_one_request_are_told_apart(self, api: APIClient) -> None:
        rows = [
            {"username": "w-1", "email": "a@e.org"},
            {"username": "other", "email": "b@e.org", "external_id": "W-1"},
        ]
        response = api.post("/api/v1/users/", rows, format="json")
        assert response.status_code == 409
        assert {error["field"] for error in response.json()["errors"]} == {"0.username", "1.external_id"}

    def test_what_changes_for_nobody_is_not_asked_for(self, root: User) -> None:
        """From before such words were refused."""
        person("other", username="77")
        account = person("jane", employee_number="77")
        update_user(actor=root, account_id=account.pk, data={"phone": "1", "employee_number": "77"})


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    @pytest.fixture
    def pool(self) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(2) as executor:
            yield executor

    @pytest.mark.parametrize(
        "second",
        [
            lambda root, jane: update_user(actor=root, account_id=jane.pk, data={"employee_number": "W-1"}),
            lambda root, jane: update_users(actor=root, changes={jane.pk: {"external_id": "w-1"}}),
            lambda root, jane: create_user(
                actor=root, data={"username": "n", "email": "n@e.org", "external_id": "W-1"}
            ),
            lambda root, jane: create_users(
                actor=root, rows=[{"username": "n", "email": "n@e.org", "employee_number": "W-1"}]
            ),
        ],
        ids=["one", "many", "new", "many new"],
    )
    def test_the_second_waits_and_is_refused(
        self, root: User, pool: ThreadPoolExecutor, second: Callable[[User, User], Any]
    ) -> None:
        jane = person("jane")
        with before_commit(lambda: create_user(actor=root, data={"username": "w-1", "email": "w@e.org"})):
            late = pool.submit(apart(lambda: second(root, jane)))
            wait_until_blocked(late)
        with pytest.raises(FieldsInvalid):
            late.result(20)
        assert not User.objects.filter(external_id__iexact="w-1").exists()
        assert not User.objects.filter(employee_number__iexact="w-1").exists()

    def test_a_username_and_an_email_that_are_one_word(self, root: User, pool: ThreadPoolExecutor) -> None:
        with before_commit(lambda: create_user(actor=root, data={"username": "w@e.org", "email": "1@e.org"})):
            late = pool.submit(apart(lambda: create_user(actor=root, data={"username": "late", "email": "W@e.org"})))
            wait_until_blocked(late)
        with pytest.raises(FieldsInvalid):
            late.result(20)


class TestALookUpThatFindsTwo:
    def test_rest_says_that_the_id_is_needed(self, api: APIClient) -> None:
        person("one", employee_number="E-1")
        person("two", employee_number="E-1")
        response = api.get("/api/v1/users/?identifier=E-1")
        assert response.status_code == 409
        assert response.json()["code"] == "ambiguous_identifier"
        assert "ID" in response.json()["detail"]

    def test_it_counts_those_alone_that_the_caller_may_see(self) -> None:
        one = person("one", employee_number="E-1")
        person("two", employee_number="E-1")
        actor = PowerUserFactory.create()
        AssignedUser.objects.create(power_user=actor, user=one)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {create_token(owner=actor)[0]}")
        response = client.get("/api/v1/users/?identifier=E-1")
        assert [row["id"] for row in response.json()["results"]] == [one.pk]

    @pytest.mark.parametrize(
        ("kind", "column", "text"),
        [
            ("users", "employee_number", "employee_number,phone\nE-1,5\n"),
            ("records", "user", "user,kind,title,completed_at\nE-1,activity,First aid,2026-01-01\n"),
            ("merges", "source", "source,destination\nE-1,one\n"),
            ("merges", "destination", "source,destination\none,E-1\n"),
        ],
    )
    @pytest.mark.parametrize("sees_both", [True, False])
    def test_csv_says_so_in_the_row(self, kind: str, column: str, text: str, sees_both: bool) -> None:
        one, two = person("one", employee_number="E-1"), person("two", employee_number="E-1")
        actor = PowerUserFactory.create()
        for account in (one, two) if sees_both else (two,):
            AssignedUser.objects.create(power_user=actor, user=account)
        file = bulk.upload(actor=actor, kind=kind, file=io.BytesIO(text.encode()), name="f.csv", size=len(text))
        while bulk.work(file.pk):
            pass
        row = ImportRow.objects.get(import_file=file)
        is_ambiguous = row.reason == "Several accounts have this identifier. Give the ID of the one you mean."
        assert is_ambiguous == sees_both
        assert not sees_both or row.column == column
