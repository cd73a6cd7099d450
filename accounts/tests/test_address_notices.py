"""Whoever's e-mail address is changed is told at the old one."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail

from accounts.models import User
from accounts.services import delete_account, update_user
from accounts.tests.people import person, power_user, superadmin
from bulk.kinds.users import UsersKind
from bulk.models import Import, ImportRow
from notices.models import Notice
from notices.services import send_due

pytestmark = pytest.mark.django_db


def owed() -> list[tuple[int, str]]:
    rows = Notice.objects.filter(kind="accounts.address_changed", state=Notice.State.WAITING)
    return list(rows.values_list("recipient", "address"))


def change(account: User, email: str, actor: User | None = None) -> None:
    update_user(actor=actor or superadmin(), account_id=account.pk, data={"email": email})


def test_the_old_address_is_told_once(settings: Any) -> None:
    jane = person("jane", email="old@example.com")
    change(jane, "new@example.com", power_user("users.view", "users.edit", sees=(jane,)))  # type: ignore[arg-type]
    assert [send_due(), send_due()] == [1, 0]
    (told,) = mail.outbox
    assert told.to == ["old@example.com"]
    assert "jane" in told.body
    assert settings.PORTAL_URL in told.body
    assert "new@example.com" not in told.body
    assert not owed()


def test_nothing_is_told_of_what_is_no_change() -> None:
    jane, blank = person("jane", email="old@example.com"), person("blank", email="")
    root = superadmin()
    change(jane, "OLD@example.com", root)
    change(blank, "some@example.com", root)
    update_user(actor=root, account_id=jane.pk, data={"first_name": "x"})
    assert not owed()


def test_a_change_by_csv_is_told_too() -> None:
    root, jane, bob = superadmin(), person("jane", email="old@example.com"), person("bob", email="bob@example.com")
    file = Import.objects.create(kind="users", file_name="x", header=["id", "email"], uploaded_by=root)
    cells = [{"id": str(jane.pk), "email": "new@example.com"}, {"id": str(bob.pk), "email": "BOB@example.com"}]
    rows = [ImportRow.objects.create(import_file=file, line=n, cells=one) for n, one in enumerate(cells, 2)]
    UsersKind().judge(rows, root)
    UsersKind().run(rows, root, "import")
    jane.refresh_from_db()
    assert jane.email == "new@example.com"
    assert owed() == [(jane.pk, "old@example.com")]


def test_a_change_that_is_refused_tells_nothing() -> None:
    jane = person("jane", email="old@example.com")
    with pytest.raises(Exception, match="in use"):
        change(jane, person("bob", email="bob@example.com").email)
    assert not owed()


def test_nothing_is_kept_of_a_deleted_person() -> None:
    root, jane = superadmin(), person("jane", email="old@example.com")
    change(jane, "new@example.com", root)
    delete_account(actor=root, account_id=jane.pk)
    assert not owed()
