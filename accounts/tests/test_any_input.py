"""Whatever is sent, the answer is in words."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.errors import AccountError
from accounts.models import ProfileField, User
from accounts.services import create_user, find_by_identifier, update_user
from accounts.services.fields import WRITABLE
from accounts.tests.people import person, superadmin

pytestmark = pytest.mark.django_db

text = st.text(max_size=40) | st.sampled_from(["", "\x00", "\ud800", "a@b.c", "2020-01-01", "deleted-1", "x" * 600])
number = st.integers() | st.floats() | st.sampled_from([2**63, -(2**63), 10**400])
leaf = st.none() | st.booleans() | number | text
anything = st.recursive(leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3))
custom = st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e", "\x00"]), leaf, max_size=5)
fields = st.sampled_from([*sorted(WRITABLE), "id", "merged_into", "session_epoch", "is_staff"])
bodies = st.dictionaries(fields, anything, max_size=6) | st.fixed_dictionaries({"profile": custom})
several = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def root() -> User:
    for key, kind in zip("abcde", ProfileField.Type.values, strict=True):
        ProfileField.objects.create(key=key, label=key, type=kind, options=["M"])
    return superadmin()


def attempt(act: Any) -> None:
    with contextlib.suppress(AccountError):
        act()


@several
@given(body=bodies)
def test_making_an_account(root: User, body: dict[str, Any]) -> None:
    whole = {"username": f"u{User.objects.count()}", "email": f"u{User.objects.count()}@example.com", **body}
    attempt(lambda: create_user(actor=root, data=whole))


@several
@given(body=bodies)
def test_changing_an_account(root: User, body: dict[str, Any]) -> None:
    account = User.objects.filter(username="jane").first() or person("jane")
    attempt(lambda: update_user(actor=root, account_id=account.pk, data=body))
    account.refresh_from_db()
    assert account.merged_into is None


@several
@given(value=text)
def test_looking_for_an_account(root: User, value: str) -> None:
    found = find_by_identifier(root, value)
    assert found is None or isinstance(found, User)
