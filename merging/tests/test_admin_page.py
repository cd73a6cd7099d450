"""Merges in the admin site."""

import pytest
from django.test import Client

from accounts.models import User
from learning_records.models import Enrollment
from merging.models import Merge
from tests.factories import EnrollmentFactory

pytestmark = pytest.mark.django_db
ADD = "/admin/merging/merge/add/"
LIST = "/admin/merging/merge/"


def ask(client: Client, source: User, destination: User, policy: str = "best_record") -> int:
    form = {"source": source.pk, "destination": destination.pk, "policy": policy, "reason": "twins"}
    return client.post(ADD, form).status_code


def test_it_merges(client: Client, boss: User, source: User, destination: User) -> None:
    EnrollmentFactory.create(user=source)
    assert client.get(ADD).status_code == 200
    assert ask(client, source, destination) == 302
    merge = Merge.objects.get()
    assert (merge.status, merge.reason, merge.performed_by) == ("done", "twins", boss)
    assert Enrollment.objects.get().user == destination


def test_it_refuses_what_the_rules_forbid(client: Client, boss: User, source: User, destination: User) -> None:
    assert ask(client, source, source) == 200
    User.objects.filter(pk=destination.pk).update(status="inactive")
    response = client.post(
        ADD, {"source": source.pk, "destination": destination.pk, "policy": "best_record"}, follow=True
    )
    assert "Nothing was merged. The destination is inactive." in response.content.decode()
    assert not Merge.objects.exists()


def test_it_shows_a_merge_and_its_journal_without_editing(
    client: Client, boss: User, source: User, destination: User
) -> None:
    EnrollmentFactory.create(user=source)
    ask(client, source, destination)
    merge = Merge.objects.get()
    assert client.get(f"{LIST}{merge.pk}/change/").status_code == 200
    assert client.post(f"{LIST}{merge.pk}/change/", {"reason": "other"}).status_code == 403
    assert client.post(f"{LIST}{merge.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "only on the source" in client.get("/admin/merging/journalentry/").content.decode()
    assert client.get("/admin/merging/journalentry/add/").status_code == 403


def test_it_undoes_with_a_reason(client: Client, boss: User, source: User, destination: User) -> None:
    EnrollmentFactory.create(user=source)
    ask(client, source, destination)
    merge = Merge.objects.get()
    action = {"action": "undo", "_selected_action": [merge.pk]}
    client.post(LIST, action)
    assert Merge.objects.get().status == "done"
    client.post(LIST, action | {"reason": "two people"})
    merge.refresh_from_db()
    assert (merge.status, merge.undo_reason) == ("undone", "two people")
    assert Enrollment.objects.get().user == source


def test_it_is_closed_to_everybody_else(client: Client, source: User) -> None:
    client.force_login(source)
    assert client.get(LIST).status_code == 302
