"""A new password or role ends the other sessions and every API token of the account."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.errors import NotAllowed
from accounts.models import ApiToken, Role, Session, User
from accounts.services import change_own_password, create_token, update_user
from accounts.sign_in import reset_tokens
from accounts.tests.people import PASSWORD, person, power_user, superadmin

pytestmark = pytest.mark.django_db
NEW = "a longer staple of horses"


def by_a_superadmin(account: User) -> None:
    update_user(actor=superadmin("root2"), account_id=account.pk, data={"password": NEW})


def by_a_promotion(account: User) -> None:
    update_user(actor=superadmin("root2"), account_id=account.pk, data={"role": Role.SUPERADMIN})


def by_a_demotion(account: User) -> None:
    update_user(actor=superadmin("root2"), account_id=account.pk, data={"role": Role.LEARNER})


def by_a_reset_link(account: User) -> None:
    answer = Client().post(
        f"/reset-password/{account.pk}/{reset_tokens.make_token(account)}/", {"new": NEW, "again": NEW}
    )
    assert answer.status_code == 302


def by_the_service(account: User) -> None:
    change_own_password(actor=account, password=NEW)


def by_the_command_line(account: User) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("accounts.management.commands.changepassword.getpass", lambda prompt: NEW)
        call_command("changepassword", account.username, stdout=StringIO())


@pytest.mark.parametrize(
    "change", [by_a_superadmin, by_a_promotion, by_a_demotion, by_a_reset_link, by_the_service, by_the_command_line]
)
def test_it_ends_every_session_token_and_link(change: Callable[[User], None]) -> None:
    account = power_user(username="paula")
    browser = Client()
    browser.force_login(account)
    create_token(owner=account)
    link = reset_tokens.make_token(account)

    change(account)

    account.refresh_from_db()
    assert browser.get("/preferences/").status_code == 302
    assert not Session.objects.filter(account=account).exists()
    assert not ApiToken.objects.filter(owner=account).exists()
    assert not reset_tokens.check_token(account, link)


def test_other_changes_end_nothing() -> None:
    account = power_user(username="paula")
    browser = Client()
    browser.force_login(account)
    create_token(owner=account)
    data = {"first_name": "Paula", "rights": ["users.view"], "role": "power_user", "email": "p@example.com"}
    update_user(actor=superadmin(), account_id=account.pk, data=data)
    assert browser.get("/preferences/").status_code == 200
    assert ApiToken.objects.filter(owner=account).exists()


def test_a_new_email_address_ends_links_sent_to_the_old_one() -> None:
    account = person("jane")
    link = reset_tokens.make_token(account)
    update_user(actor=superadmin(), account_id=account.pk, data={"email": "other@example.com"})
    account.refresh_from_db()
    assert not reset_tokens.check_token(account, link)
    assert reset_tokens.check_token(account, reset_tokens.make_token(account))


def test_whoever_changes_the_own_password_stays_signed_in(client: Client) -> None:
    jane = power_user(username="jane")
    jane.set_password(PASSWORD)
    jane.save()
    client.force_login(jane)
    create_token(owner=jane)
    client.post("/preferences/password/", {"current": PASSWORD, "new": NEW, "again": NEW})
    assert client.get("/preferences/").status_code == 200
    assert Session.objects.filter(account=jane).count() == 1
    assert not ApiToken.objects.exists()


def test_so_does_whoever_changes_the_own_role_by_rest(client: Client) -> None:
    root, _other = superadmin(), superadmin("root2")
    elsewhere = Client()
    for browser in (client, elsewhere):
        browser.force_login(root)
    answer = client.patch(f"/api/v1/users/{root.pk}/", {"role": "power_user"}, content_type="application/json")
    assert answer.status_code == 200
    assert client.get("/preferences/").status_code == 200
    assert elsewhere.get("/preferences/").status_code == 302


def test_so_does_whoever_changes_the_own_role_by_page(client: Client) -> None:
    root, _other = superadmin(), superadmin("root2")
    client.force_login(root)
    address = f"/users/{root.pk}/edit/"
    sent = {"username": root.username, "email": root.email, "role": "power_user", "language": "en", "timezone": "UTC"}
    assert client.post(address, sent).status_code == 302
    assert client.get("/preferences/").status_code == 200


def test_a_request_under_way_makes_no_token_after_its_session_ended() -> None:
    paula = power_user(username="paula")
    update_user(actor=superadmin(), account_id=paula.pk, data={"password": NEW})
    with pytest.raises(NotAllowed):
        create_token(owner=paula, epoch=paula.session_epoch)
    assert not ApiToken.objects.exists()
