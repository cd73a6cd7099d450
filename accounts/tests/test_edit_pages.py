"""Creating and editing accounts, and what ends and revives them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Branch, BranchMembership, ProfileField, Right, Role, Status, User
from accounts.tests.people import person, power_user, superadmin
from audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def filled(client: Client, path: str, **changes: Any) -> dict[str, Any]:
    """What a browser would send: the form as it is shown, with these changes."""
    form = client.get(path).context["form"]
    shown = {name: form[name].value() for name in form.fields}
    for name, field in form.fields.items():
        if isinstance(shown[name], list):  # a browser sends the boxes that are there
            shown[name] = [value for value, _ in field.choices if value in shown[name]]
    return {name: value for name, value in (shown | changes).items() if value is not None}


def test_a_superadmin_creates_a_power_user(client: Client) -> None:
    client.force_login(superadmin())
    branch, mine = Branch.objects.create(name="Hamburg"), person("mine")
    answer = client.post(
        "/users/new/",
        filled(
            client,
            "/users/new/",
            username="paul",
            email="paul@example.com",
            role="power_user",
            rights=["users.view"],
            branches=[branch.pk],
            assigned_branches=[branch.pk],
            assigned_users="mine",
        ),
    )

    paul = User.objects.get(username="paul")
    assert answer.headers["Location"] == f"/users/{paul.pk}/"
    assert (paul.role, paul.rights) == (Role.POWER_USER, [Right.VIEW])
    assert [row.branch for row in paul.assigned_branches.all()] == [branch]
    assert [row.user for row in paul.assigned_users.all()] == [mine]


def test_it_changes_only_what_was_changed(client: Client) -> None:
    client.force_login(superadmin())
    account, manager = person("jane", phone="1"), person("meg")
    field = ProfileField.objects.create(key="shift", label="Shift", type="choice", options=["Day", "Night"])
    path = f"/users/{account.pk}/edit/"
    sent = filled(client, path, job_title="Clerk", managers="meg@example.com", **{"profile.shift": "Night"})
    User.objects.filter(pk=account.pk).update(phone="2")

    assert client.post(path, sent | {"phone": "1"}).status_code == 302

    account.refresh_from_db()
    assert account.job_title == "Clerk"
    assert [row.manager for row in account.manager_assignments.all()] == [manager]
    assert account.profile_values.get().field == field
    entry = AuditEntry.objects.get(action="user.updated")
    assert "phone" in entry.detail["fields"]


def test_a_save_without_changes_writes_nothing(client: Client) -> None:
    client.force_login(superadmin())
    account = person("jane")
    account.manager_assignments.create(manager=person("meg"))
    BranchMembership.objects.create(user=account, branch=Branch.objects.create(name="Hamburg"))
    path = f"/users/{account.pk}/edit/"

    client.post(path, filled(client, path))

    assert not AuditEntry.objects.filter(action="user.updated").exists()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("username", "TAKEN", "use"),
        ("email", "taken@example.com", "use"),
        ("email", "no address", "valid email"),
        ("timezone", "Mars/Base", "time zone"),
        ("managers", "nobody.here", "Nobody is found by: nobody.here"),
        ("managers", "jane", "own manager"),
        ("birth_date", "2099-01-01", "Nobody alive"),
        ("password", "123", "too short"),
        ("role", "god", "valid choice"),
    ],
)
def test_it_says_at_the_field_what_cannot_be_kept(client: Client, field: str, value: str, words: str) -> None:
    client.force_login(superadmin())
    person("taken")
    account = person("jane")
    path = f"/users/{account.pk}/edit/"
    answer = client.post(path, filled(client, path, **{field: value}))

    assert answer.status_code == 200
    assert words in " ".join(answer.context["form"].errors[field])
    assert not AuditEntry.objects.filter(action__startswith="user.").exists()


def test_a_power_user_edits_what_is_theirs_and_gives_no_rights(client: Client) -> None:
    mine, other = person("mine"), person("other")
    power = power_user(Right.VIEW, Right.EDIT, sees=(mine,))
    far = Branch.objects.create(name="Far")
    BranchMembership.objects.create(user=mine, branch=far)
    client.force_login(power)
    path = f"/users/{mine.pk}/edit/"
    sent = filled(client, path, phone="5", role="superadmin", rights=["users.delete"])

    assert client.post(path, sent).status_code == 302
    mine.refresh_from_db()
    assert (mine.phone, mine.role, mine.rights) == ("5", Role.LEARNER, [])
    assert mine.branch_memberships.get().branch == far
    assert client.get(f"/users/{other.pk}/edit/").status_code == 404
    assert client.get(f"/users/{power.pk}/edit/").status_code == 403


def test_deactivating_says_what_follows_and_can_be_taken_back(client: Client) -> None:
    client.force_login(superadmin())
    account = person("jane")
    assert "Everything it holds stays" in client.get(f"/users/{account.pk}/deactivate/").content.decode()

    client.post(f"/users/{account.pk}/deactivate/")
    account.refresh_from_db()
    assert account.status == Status.INACTIVE

    client.post(f"/users/{account.pk}/reactivate/")
    account.refresh_from_db()
    assert account.status == Status.ACTIVE


@pytest.mark.covers("S1.24")
def test_deleting_says_that_nothing_can_be_reinstated_and_wants_a_tick(client: Client) -> None:
    client.force_login(superadmin())
    account = person("jane")
    path = f"/users/{account.pk}/delete/"
    shown = client.get(path).content.decode()
    assert "Deleted profiles and their historical records can&#x27;t be reinstated" in shown

    client.post(path)
    account.refresh_from_db()
    assert account.status == Status.ACTIVE

    client.post(path, {"understood": "1"})
    account.refresh_from_db()
    assert account.status == Status.DELETED
    assert "Reactivate" not in client.get(f"/users/{account.pk}/").content.decode()


def test_deleting_takes_its_right_and_a_recent_sign_in(client: Client) -> None:
    mine = person("mine")
    client.force_login(power_user(Right.VIEW, Right.EDIT, sees=(mine,)))
    assert client.get(f"/users/{mine.pk}/delete/").status_code == 403

    client.force_login(superadmin())
    session = client.session
    session["password_proven_at"] = 0
    session.save()
    answer = client.post(f"/users/{mine.pk}/delete/", {"understood": "1"})

    mine.refresh_from_db()
    assert mine.status == Status.ACTIVE
    assert answer.headers["Location"] == f"/confirm-password/?next=%2Fusers%2F{mine.pk}%2Fdelete%2F"


def test_nobody_ends_their_own_account(client: Client) -> None:
    boss = superadmin()
    superadmin("second")
    client.force_login(boss)

    answer = client.post(f"/users/{boss.pk}/deactivate/")

    assert "your own account" in answer.context["problem"]
