"""Linking two accounts: who may, what it unites, what it refuses."""

from __future__ import annotations

import pytest
from django.db import connection

import linking.services
from accounts.errors import TooManyFailures
from accounts.models import SignInFailure
from accounts.services.throttle import target_key
from audit.models import AuditEntry, OutboxEvent
from linking import services
from linking.errors import CallerMayNotLink, CredentialsRefused, GroupIsFull, OwnAccount
from linking.models import Link, LinkGroup, Membership, Pair
from linking.tests.cast import earn, equivalencies, issue, link, person
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def groups() -> list[set[int]]:
    found: dict[int, set[int]] = {}
    for user, group in Membership.objects.exclude(group=None).values_list("user_id", "group_id"):
        found.setdefault(group, set()).add(user)
    return list(found.values())


@pytest.mark.covers("S0.1", "S0.32")
def test_two_accounts_of_one_person_can_be_linked() -> None:
    doe, smith = person("doe"), person("smith")
    made = link(doe, smith)
    group = services.group_of(smith.pk)
    assert group is not None
    assert [member.account for member in group.others(smith.pk)] == [doe]
    assert list(group.links) == [made]


@pytest.mark.covers("S0.11")
def test_the_other_account_is_proved_by_its_credentials() -> None:
    doe, smith = person("doe"), person("smith", password=PASSWORD)
    made = services.prove_and_link(caller=doe, username="smith", password=PASSWORD, generate_equivalencies=False)
    assert made.is_new
    assert groups() == [{doe.pk, smith.pk}]


@pytest.mark.covers("S0.12")
@pytest.mark.parametrize(
    ("username", "password"),
    [("smith", "wrong"), ("nobody", PASSWORD), ("boss", PASSWORD), ("power", PASSWORD), ("gone", PASSWORD)],
)
def test_one_answer_for_every_refused_credential(username: str, password: str) -> None:
    doe = person("doe")
    person("smith", password=PASSWORD)
    person("boss", password=PASSWORD, role="superadmin")
    person("power", password=PASSWORD, role="power_user")
    person("gone", password=PASSWORD, status="inactive")
    with pytest.raises(CredentialsRefused) as refusal:
        services.prove_and_link(caller=doe, username=username, password=password, generate_equivalencies=True)
    assert refusal.value.detail == CredentialsRefused.detail
    assert groups() == []


def test_guessing_is_throttled_as_at_sign_in() -> None:
    doe = person("doe")
    person("smith", password=PASSWORD)
    SignInFailure.objects.bulk_create(SignInFailure(caller=f"c{n}", target=target_key("smith")) for n in range(20))
    with pytest.raises(TooManyFailures):
        services.prove_and_link(caller=doe, username="smith", password=PASSWORD, generate_equivalencies=False)


@pytest.mark.covers("S0.13")
def test_ones_own_account_is_refused() -> None:
    doe = person("doe", password=PASSWORD)
    with pytest.raises(OwnAccount):
        services.prove_and_link(caller=doe, username="doe", password=PASSWORD, generate_equivalencies=False)


@pytest.mark.parametrize("role", ["superadmin", "power_user"])
def test_privileged_accounts_never_link(role: str) -> None:
    boss = person("boss", role=role)
    person("smith", password=PASSWORD)
    with pytest.raises(CallerMayNotLink):
        services.prove_and_link(caller=boss, username="smith", password=PASSWORD, generate_equivalencies=False)


@pytest.mark.covers("S0.14")
def test_linking_again_changes_nothing() -> None:
    doe, smith, third = person("doe"), person("smith"), person("third")
    first = link(doe, smith)
    link(smith, third)
    before = (Link.objects.count(), Pair.objects.count(), AuditEntry.objects.count(), OutboxEvent.objects.count())
    again = services.link_accounts(caller_id=smith.pk, other_id=doe.pk, generate_equivalencies=True)
    assert (again.is_new, again.link) == (False, first)
    after = (Link.objects.count(), Pair.objects.count(), AuditEntry.objects.count(), OutboxEvent.objects.count())
    assert before == after


@pytest.mark.covers("S0.33", "S0.34")
@pytest.mark.parametrize("who", ["doe", "smith"])
def test_a_third_account_joins_all(who: str) -> None:
    people = {name: person(name) for name in ("doe", "smith", "third")}
    link(people["doe"], people["smith"])
    link(people[who], people["third"])
    assert groups() == [{user.pk for user in people.values()}]
    assert Pair.objects.count() == 6


@pytest.mark.covers("S0.36")
def test_two_groups_become_one() -> None:
    a, b, c, d = (person(name) for name in "abcd")
    link(a, b)
    link(c, d)
    link(b, c)
    assert groups() == [{a.pk, b.pk, c.pk, d.pk}]
    assert Pair.objects.count() == 12
    record = earn(a)
    issue()
    assert all(equivalencies(user) == {record.pk} for user in (b, c, d))


@pytest.mark.covers("S0.31")
def test_it_is_the_same_whoever_links() -> None:
    ends = []
    for world in ("one", "other"):
        doe, smith = person(f"doe-{world}"), person(f"smith-{world}")
        of_doe, of_smith = earn(doe), earn(smith)
        link(*((doe, smith) if world == "one" else (smith, doe)), generate=True)
        issue()
        ends.append((equivalencies(doe) == {of_smith.pk}, equivalencies(smith) == {of_doe.pk}))
    assert ends == [(True, True), (True, True)]


def test_a_group_has_a_limit(settings: object) -> None:
    settings.LINK_GROUP_LIMIT = 3  # type: ignore[attr-defined]
    a, b, c, d = (person(name) for name in "abcd")
    link(a, b)
    link(b, c)
    with pytest.raises(GroupIsFull, match="At most 3"):
        link(c, d)
    assert LinkGroup.objects.filter(memberships__user=d).count() == 0


def test_every_member_has_it_in_their_history() -> None:
    a, b, c = (person(name) for name in "abc")
    link(a, b)
    link(b, c)
    subjects = AuditEntry.objects.filter(action="account.linked").values_list("subject", flat=True)
    assert sorted(subjects) == sorted([a.pk, b.pk, a.pk, b.pk, c.pk])
    assert OutboxEvent.objects.filter(kind="account.linked").count() == 2


@pytest.mark.covers("S0.38")
def test_no_service_unlinks() -> None:
    assert not [name for name in dir(linking.services) if "unlink" in name or "remove" in name or "delete" in name]


def test_the_database_refuses_what_no_group_may_hold() -> None:
    doe = person("doe")
    with pytest.raises(Exception, match="not_paired_with_itself"), connection.cursor() as cursor:
        cursor.execute("INSERT INTO linking_pair (account_id, counterpart_id) VALUES (%s, %s)", [doe.pk, doe.pk])
