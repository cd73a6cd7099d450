"""`/merges/<id>/`: one merge as history, and its undo."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AssignedUser, User
from learning_records.models import Enrollment
from merging import services
from merging.models import Merge
from tests.factories import CourseFactory, EnrollmentFactory, PowerUserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def merge(boss: User, source: User, destination: User) -> Merge:
    EnrollmentFactory.create(user=source, course=CourseFactory.create(title="Safety 101"))
    return merged(boss, source, destination)


def merged(boss: User, source: User, destination: User, **more: Any) -> Merge:
    return services.request_merge(
        actor=boss, source_id=source.pk, destination_id=destination.pk, policy="best_record", reason="rehired", **more
    )


def html_of(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return response.content.decode()


@pytest.mark.covers("P.1")
def test_it_tells_who_when_how_and_why(client: Client, merge: Merge) -> None:
    html = html_of(client, f"/merges/{merge.pk}/")
    for words in ("Bea Boss", "Best record", "rehired", "Safety 101", "only on the source"):
        assert words in html


def test_it_offers_undo_to_a_superadmin_alone(client: Client, merge: Merge) -> None:
    assert "Undo merge" in html_of(client, f"/merges/{merge.pk}/")
    power = PowerUserFactory.create()
    for user in (merge.source, merge.destination):
        AssignedUser.objects.create(power_user=power, user=user)
    client.force_login(power)
    html = html_of(client, f"/merges/{merge.pk}/")
    assert "Undo merge" not in html
    assert "Bea Boss" not in html  # they may not know of superadmins
    assert client.get(f"/merges/{merge.pk}/undo/").status_code == 403


def test_it_hides_merges_of_accounts_out_of_sight(client: Client, merge: Merge) -> None:
    power = PowerUserFactory.create()
    AssignedUser.objects.create(power_user=power, user=merge.source)
    client.force_login(power)
    html_of(client, f"/merges/{merge.pk}/", 404)
    assert f"Merge {merge.pk}" not in html_of(client, "/merges/")


def test_it_is_closed_to_learners(client: Client, merge: Merge) -> None:
    client.force_login(merge.destination)
    for address in ("/merges/", f"/merges/{merge.pk}/", f"/merges/{merge.pk}/undo/"):
        html_of(client, address, 403)


def test_it_follows_a_queued_merge(
    client: Client, boss: User, source: User, destination: User, settings: Settings
) -> None:
    settings.MERGE_INLINE_LIMIT = 0
    merge = merged(boss, source, destination)
    assert 'hx-trigger="every 2s"' in html_of(client, f"/merges/{merge.pk}/")
    assert client.get(f"/merges/{merge.pk}/", headers={"HX-Request": "true"}).status_code == 204
    services.execute_merge(merge.pk)
    html = html_of(client, f"/merges/{merge.pk}/")
    assert "every 2s" not in html
    assert "was merged" in html


def test_it_says_why_a_queued_merge_failed(
    client: Client, boss: User, source: User, destination: User, settings: Settings
) -> None:
    settings.MERGE_INLINE_LIMIT = 0
    merge = merged(boss, source, destination)
    User.objects.filter(pk=destination.pk).update(status="inactive")
    services.execute_merge(merge.pk)
    html = html_of(client, f"/merges/{merge.pk}/")
    assert "Nothing was merged." in html
    assert "inactive" in html


def test_it_tells_what_may_be_done_with_the_source(client: Client, merge: Merge) -> None:
    html = html_of(client, f"/merges/{merge.pk}/")
    assert "Deactivate the source" in html
    assert "can&#x27;t be reinstated" in html or "can't be reinstated" in html


def test_undo_says_what_would_go_back_and_changes_nothing(client: Client, merge: Merge) -> None:
    html = html_of(client, f"/merges/{merge.pk}/undo/")
    assert re.search(r"Enrollments</th>\s*<td class=\"number\">1</td>", html)
    assert Merge.objects.get().status == "done"


def test_undo_needs_a_reason(client: Client, merge: Merge) -> None:
    response = client.post(f"/merges/{merge.pk}/undo/", {"reason": " "})
    assert response.status_code == 400
    assert "Say why it is undone." in response.content.decode()
    assert Merge.objects.get().status == "done"


def test_undo_brings_everything_back(client: Client, merge: Merge) -> None:
    response = client.post(f"/merges/{merge.pk}/undo/", {"reason": "two people"})
    assert response["Location"] == f"/merges/{merge.pk}/"
    html = html_of(client, f"/merges/{merge.pk}/")
    assert "two people" in html
    assert "Safety 101" in html
    assert Enrollment.objects.get().user == merge.source


def test_undo_names_rows_that_have_changed(client: Client, merge: Merge, boss: User) -> None:
    row = Enrollment.objects.get()
    Enrollment.objects.update(user=boss)
    html = html_of(client, f"/merges/{merge.pk}/undo/")
    assert "isn't possible" in html
    assert f"Enrollment {row.pk}: Safety 101" in html


def test_undo_ends_with_its_window(client: Client, merge: Merge) -> None:
    Merge.objects.update(undo_until=timezone.now() - timedelta(days=1))
    assert 'data-code="undo_window_closed"' in html_of(client, f"/merges/{merge.pk}/undo/")
    assert "has ended" in html_of(client, f"/merges/{merge.pk}/")


def test_undo_asks_for_the_password_again(client: Client, merge: Merge, settings: Settings) -> None:
    settings.RECENT_SIGN_IN_MINUTES = 0
    response = client.post(f"/merges/{merge.pk}/undo/", {"reason": "two people"})
    assert "/confirm-password/" in response["Location"]
    assert Merge.objects.get().status == "done"


def test_the_list_is_filtered(client: Client, merge: Merge) -> None:
    link = f"Merge {merge.pk}</a>"
    for query in ("", "?status=done", "?policy=best_record", "?q=jane.old", "?q=Doe", "?before=999999"):
        assert link in html_of(client, f"/merges/{query}"), query
    for query in ("?status=undone", "?policy=keep_primary", "?q=nobody", f"?before={merge.pk}"):
        assert link not in html_of(client, f"/merges/{query}"), query


def test_the_list_makes_the_best_of_odd_filters(client: Client, merge: Merge) -> None:
    assert f"Merge {merge.pk}</a>" in html_of(client, "/merges/?status=nonsense&before=x&page=y")
    html_of(client, f"/merges/{merge.pk}/?tab=nonsense&page=-3")
