"""A user's page: profile, transcript, what merges brought and took."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Alias, ProfileField, ProfileValue, User
from accounts.tests.people import merged, person, superadmin
from linking.models import LinkGroup, Membership
from tests.factories import (
    BadgeAwardFactory,
    CertificateFactory,
    CoinEntryFactory,
    CompetencyAwardFactory,
    CourseFactory,
    EnrollmentFactory,
    ExternalTrainingFactory,
    LearningRecordFactory,
    PointEntryFactory,
    PowerUserFactory,
    RewardRequestFactory,
    SubscriptionFactory,
    TransactionFactory,
)

pytestmark = pytest.mark.django_db


def page(client: Client, account: User, query: str = "") -> str:
    answer = client.get(f"/users/{account.pk}/?{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def fill(account: User) -> None:
    """Something of every kind that the page shows."""
    EnrollmentFactory.create(user=account, course__title="Safety 101", completed=True, score=88)
    LearningRecordFactory.create(user=account, course__title="Recorded course")
    CertificateFactory.create(user=account, number="CERT-1")
    CompetencyAwardFactory.create(user=account, competency="Welding")
    ExternalTrainingFactory.create(user=account, title="Course elsewhere")
    BadgeAwardFactory.create(user=account, badge__name="Early bird")
    PointEntryFactory.create(user=account, amount=30)
    PointEntryFactory.create(user=account, amount=-5)
    CoinEntryFactory.create(user=account, amount=12)
    RewardRequestFactory.create(user=account, reward__name="Mug")
    SubscriptionFactory.create(user=account, plan__name="Gold plan")
    TransactionFactory.create(user=account, amount="10.00", currency="EUR")
    TransactionFactory.create(user=account, amount="2.50", currency="EUR")


def test_it_shows_everything_that_the_account_holds(client: Client) -> None:
    account = person("jane", phone="0123", job_title="Clerk")
    field = ProfileField.objects.create(key="shoe_size", label="Shoe size")
    ProfileValue.objects.create(user=account, field=field, value="38")
    Alias.objects.create(user=account, kind="username", value="old.jane")
    fill(account)
    client.force_login(superadmin())

    shown = page(client, account)

    for words in ("0123", "Clerk", "Shoe size", "38", "old.<wbr>jane", "Safety 101", "Completed", "Recorded course"):
        assert words in shown
    for words in ("CERT-1", "Welding", "Course elsewhere", "Early bird", "Mug", "Gold plan"):
        assert words in shown
    for total in ("Balance 25", "Balance 12", "EUR 12.50"):
        assert total in shown


def test_history_is_shown_on_demand_alone(client: Client) -> None:
    account = person("jane")
    course = CourseFactory.create(title="Safety 101")
    EnrollmentFactory.create(user=account, course=course, is_historical=True, score=11)
    EnrollmentFactory.create(user=account, course=course, score=99)
    CertificateFactory.create(user=account, number="KEPT-ASIDE", is_superseded=True)
    client.force_login(superadmin())

    current, all_of_it = page(client, account), page(client, account, "history=1")

    assert "Historical" not in current
    assert "KEPT-ASIDE" not in current
    assert ">11<" not in current
    assert ">Historical<" in all_of_it
    assert "KEPT-ASIDE" in all_of_it
    assert ">11<" in all_of_it


def test_it_says_which_merge_brought_a_row_and_which_took_it(client: Client) -> None:
    boss, source, destination = superadmin("boss"), person("jane.old"), person("jane.new")
    EnrollmentFactory.create(user=source, course__title="Brought along")
    EnrollmentFactory.create(user=destination, course__title="Always here")
    merge = merged(source, destination, actor=boss)
    client.force_login(boss)

    answer = client.get(f"/users/{destination.pk}/")
    enrollments = next(part for part in answer.context["shown"] if part.kind.key == "enrollments")
    sources = {line.row.course.title: answer.context["sources"].get(line.place) for line in enrollments.lines}
    assert sources == {"Brought along": merge, "Always here": None}
    assert f'href="/merges/{merge.pk}/"' in answer.content.decode()
    assert [one.pk for one in client.get(f"/users/{source.pk}/").context["took"]] == [merge.pk]


def test_learners_see_themselves_and_nobody_else(client: Client) -> None:
    jane, other = person("jane"), person("other")
    fill(jane)
    client.force_login(jane)

    assert client.get("/").headers["Location"] == f"/users/{jane.pk}/"
    shown = page(client, jane)
    assert "My learning" in shown
    assert "Safety 101" in shown
    assert "Merge User" not in shown
    assert client.get(f"/users/{other.pk}/").status_code == 404
    assert client.get("/users/99999999999999999999999/").status_code == 404


def test_a_power_user_is_told_of_no_account_that_is_not_theirs(client: Client) -> None:
    power, mine, hidden = PowerUserFactory.create(), person("mine"), person("secret.person", first_name="Secretia")
    power.assigned_users.create(user=mine)
    mine.manager_assignments.create(manager=hidden)
    group = LinkGroup.objects.create()
    for member in (mine, hidden):
        Membership.objects.create(group=group, user=member)
    EnrollmentFactory.create(user=hidden)
    merged(hidden, mine, policy="keep_primary", actor=superadmin("boss"))
    client.force_login(power)

    shown = page(client, mine)

    assert "Secretia" not in shown
    assert "another account" in shown


def test_one_kind_is_shown_page_by_page(client: Client) -> None:
    account = person("jane")
    PointEntryFactory.create_batch(60, user=account)
    client.force_login(superadmin())

    first = client.get(f"/users/{account.pk}/?kind=points").context["shown"][0]
    second = client.get(f"/users/{account.pk}/?kind=points&after={first.page.after}").context["shown"][0]

    seen = [line.row.pk for part in (first, second) for line in part.lines]
    assert len(seen) == len(set(seen)) == 60
    assert client.get(f"/users/{account.pk}/?kind=nonsense").status_code == 404


def test_it_takes_the_same_statements_however_much_there_is(client: Client) -> None:
    boss, source, account = superadmin("boss"), person("jane.old"), person("jane")
    fill(source)
    merged(source, account, actor=boss)
    client.force_login(boss)
    counts = []
    for turn in "ab":
        with CaptureQueriesContext(connection) as queries:
            page(client, account, "history=1")
        counts.append(len(queries))
        EnrollmentFactory.create_batch(20, user=account)
        LearningRecordFactory.create_batch(20, user=account)
        BadgeAwardFactory.create_batch(20, user=account)
        for number in range(5):
            account.manager_assignments.create(manager=person(f"manager.{turn}{number}"))

    assert counts[0] == counts[1] <= 32
