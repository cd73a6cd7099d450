"""Keys of integrators."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.errors import FieldsInvalid, NotAllowed, UnknownAccount
from accounts.models import ApiToken, Status, User
from accounts.services import create_token, find_token, may_have_tokens, revoke_token
from accounts.tests.people import person, power_user, superadmin
from audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_a_key_is_shown_once_and_kept_as_a_hash() -> None:
    owner = superadmin()
    key, token = create_token(owner=owner, name="HR")
    assert key.startswith("lms_")
    assert len(key) > 40
    assert key not in str(ApiToken.objects.values().get())
    assert token.scopes == ["read", "write", "merge", "undo", "admin"]
    found = find_token(key)
    assert found == token
    assert found is not None
    assert found.owner == owner
    entry = AuditEntry.objects.get(action="token.created")
    assert key not in str(entry.detail)


@pytest.mark.parametrize("key", ["", "lms_", "lms_wrong", "other", "lms_\x00", "lms_\ud800"])
def test_other_keys_find_nothing(key: str) -> None:
    create_token(owner=superadmin())
    assert find_token(key) is None


def test_it_expires() -> None:
    key, _ = create_token(owner=superadmin(), days=2)
    with time_machine.travel(timezone.now() + timedelta(days=1, hours=23), tick=False):
        assert find_token(key)
    with time_machine.travel(timezone.now() + timedelta(days=2, seconds=1), tick=False):
        assert find_token(key) is None


def test_it_ends_with_its_owners_access() -> None:
    owner = superadmin()
    key, _ = create_token(owner=owner)
    User.objects.filter(pk=owner.pk).update(status=Status.INACTIVE)
    assert find_token(key) is None
    with pytest.raises(NotAllowed):
        create_token(owner=owner)


def test_it_notes_its_use_once_a_minute() -> None:
    key, _ = create_token(owner=superadmin())
    start = timezone.now()
    seen = []
    for seconds in (0, 59, 61):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            find_token(key)
        seen.append(ApiToken.objects.values_list("last_used_at", flat=True).get())
    assert seen[0] == seen[1] == start
    assert seen[2] == start + timedelta(seconds=61)


def test_scopes_narrow_it() -> None:
    key, _ = create_token(owner=superadmin(), scopes=["read"])
    token = find_token(key)
    assert token is not None
    assert token.allows("read")
    assert not token.allows("merge")


@pytest.mark.parametrize(
    ("given", "wrong"),
    [({"scopes": ["all"]}, "scopes"), ({"scopes": []}, "scopes"), ({"days": 0}, "days"), ({"days": 99999}, "days")],
)
def test_it_refuses_what_makes_no_sense(given: dict[str, object], wrong: str) -> None:
    with pytest.raises(FieldsInvalid) as error:
        create_token(owner=superadmin(), **given)  # type: ignore[arg-type]
    assert [one["field"] for one in error.value.errors] == [wrong]


def test_its_owner_or_a_superadmin_revokes_it() -> None:
    owner, other, root = power_user(), person("other"), superadmin()
    keys = [create_token(owner=owner) for _ in range(2)]
    with pytest.raises(UnknownAccount):
        revoke_token(actor=other, token_id=keys[0][1].pk)
    revoke_token(actor=owner, token_id=keys[0][1].pk)
    revoke_token(actor=root, token_id=keys[1][1].pk)
    assert [find_token(key) for key, _ in keys] == [None, None]
    assert AuditEntry.objects.filter(action="token.revoked").count() == 2


def test_preferences_offer_tokens_to_administrators() -> None:
    assert [may_have_tokens(one) for one in (superadmin(), power_user(), person("jane"))] == [True, True, False]


class TestCommand:
    def run(self, *arguments: str) -> str:
        out = StringIO()
        call_command("create_api_token", *arguments, stdout=out)
        return out.getvalue()

    def test_it_prints_the_token_alone(self) -> None:
        superadmin("Admin")
        printed = self.run("admin", "--name", "HR", "--scopes", "read, write", "--days", "3")
        token = find_token(printed.removesuffix("\n"))
        assert token is not None
        assert (token.name, token.scopes) == ("HR", ["read", "write"])

    @pytest.mark.parametrize("arguments", [["nobody"], ["admin", "--scopes", "all"], ["admin", "--days", "0"]])
    def test_it_says_what_is_wrong(self, arguments: list[str]) -> None:
        superadmin("admin")
        with pytest.raises(CommandError):
            self.run(*arguments)
