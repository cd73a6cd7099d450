"""User information in a merge: fields, custom fields, branches, managers."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from accounts.merge.profile import BUILT_IN
from accounts.models import Branch, BranchMembership, ManagerAssignment, ProfileField, ProfileValue, User
from accounts.tests.people import merged, person, superadmin
from merging import services
from merging.errors import ChoicesInvalid
from merging.handlers import Case, Change, ChoiceRow, registered
from merging.models import Merge
from merging.plan import Plan
from merging.policies import find_policy, parse_choices

pytestmark = pytest.mark.django_db

SOURCE: dict[str, Any] = {
    "first_name": "Jane",
    "last_name": "Doe",
    "phone": "1",
    "job_title": "Pilot",
    "language": "de",
    "timezone": "Europe/Berlin",
    "employee_number": "E-1",
    "external_id": "X-1",
    "birth_date": date(1990, 1, 1),
}
DESTINATION: dict[str, Any] = {
    "first_name": "Janet",
    "last_name": "Smith",
    "phone": "2",
    "job_title": "Captain",
    "language": "fr",
    "timezone": "Europe/Paris",
    "employee_number": "E-2",
    "external_id": "X-2",
    "birth_date": date(1991, 2, 2),
}


@pytest.fixture
def pair() -> tuple[User, User]:
    return person("old", **SOURCE), person("new", **DESTINATION)


def profile_of(account: User) -> dict[str, Any]:
    return {key: getattr(account, key) for key in BUILT_IN}


def preview(source: User, destination: User, policy: str = "best_record", choices: Any = None) -> Plan:
    actor = User.objects.filter(role="superadmin").first() or superadmin()
    return services.preview(
        actor=actor, source_id=source.pk, destination_id=destination.pk, policy=policy, choices=choices
    )


def rows(plan: Plan) -> list[Change]:
    return [step.action for step in plan.steps if step.section == "profile" and isinstance(step.action, Change)]


def choice_rows(source: User, destination: User, policy: str = "best_record") -> dict[str, ChoiceRow]:
    found = find_policy(policy)
    case = Case(source, destination, found, parse_choices(None, found))
    handler = next(one for one in registered() if one.key == "profile")
    return {row.key: row for row in handler.choices(case)}


@pytest.mark.covers("S3.1", "S3.2", "S3.42")
def test_the_sources_information_overwrites_the_destinations(pair: tuple[User, User]) -> None:
    merged(*pair)
    assert profile_of(pair[1]) == SOURCE
    assert profile_of(pair[0]) == SOURCE


@pytest.mark.covers("S3.43", "S3.44")
def test_username_address_and_password_are_kept(pair: tuple[User, User]) -> None:
    kept = ("username", "email", "password", "email_state", "role", "rights")
    before = [[getattr(account, name) for name in kept] for account in pair]
    merged(*pair)
    assert [[getattr(account, name) for name in kept] for account in pair] == before


@pytest.mark.covers("S3.45")
@pytest.mark.parametrize("side", ["source", "destination"])
@pytest.mark.parametrize("field", ["username", "email", "password", "role", "status", "id", "merged_into", "shoe size"])
def test_a_forged_choice_is_refused(pair: tuple[User, User], field: str, side: str) -> None:
    with pytest.raises(ChoicesInvalid) as error:
        merged(*pair, choices={"profile": {"fields": {field: side}}})
    assert [one["field"] for one in error.value.errors] == [f"choices.profile.fields.{field}"]
    assert not Merge.objects.exists()


@pytest.mark.covers("S2.20")
def test_keep_primary_leaves_every_profile_field_alone(pair: tuple[User, User]) -> None:
    field = ProfileField.objects.create(key="size", label="Size")
    values = [ProfileValue.objects.create(user=account, field=field, value=account.username) for account in pair]
    merged(*pair, policy="keep_primary")
    assert profile_of(pair[1]) == DESTINATION
    assert [(value.user_id, value.value) for value in ProfileValue.objects.order_by("pk")] == [
        (pair[0].pk, "old"),
        (pair[1].pk, "new"),
    ]
    assert len(values) == 2


@pytest.mark.covers("S3.75")
def test_switched_off_nothing_changes(pair: tuple[User, User]) -> None:
    merged(*pair, choices={"profile": {"merge": False}})
    assert profile_of(pair[1]) == DESTINATION


@pytest.mark.covers("S3.19", "S3.77")
@pytest.mark.parametrize("field", BUILT_IN)
def test_each_field_can_be_kept_by_itself(pair: tuple[User, User], field: str) -> None:
    merged(*pair, choices={"profile": {"fields": {field: "destination"}}})
    assert profile_of(pair[1]) == {**SOURCE, field: DESTINATION[field]}


def test_a_blank_of_the_source_is_not_preselected_but_may_be_chosen() -> None:
    blank = dict.fromkeys(SOURCE, "") | {"birth_date": None}
    for number, chosen in enumerate((None, "source")):
        pair = person(f"old{number}", **blank), person(f"new{number}", **DESTINATION)
        assert {row.preselected for row in choice_rows(*pair).values()} == {"destination"}
        merged(*pair, choices={"profile": {"fields": dict.fromkeys(BUILT_IN, chosen) if chosen else {}}})
        assert profile_of(pair[1]) == (blank if chosen else DESTINATION)


@pytest.mark.covers("S3.76", "S3.79")
def test_every_field_has_one_row_with_one_side_preselected(pair: tuple[User, User]) -> None:
    ProfileField.objects.create(key="size", label="Size")
    table = choice_rows(*pair)
    assert list(table) == [*BUILT_IN, "size"]
    assert table["phone"] == ChoiceRow("phone", "Phone", "1", "2", "source")
    assert table["size"] == ChoiceRow("size", "Size", None, None, "destination")
    assert {row.preselected for row in choice_rows(*pair, policy="keep_primary").values()} == {"destination"}


@pytest.mark.covers("S3.80")
def test_the_rows_know_which_fields_differ(pair: tuple[User, User]) -> None:
    pair[1].phone = pair[0].phone
    assert [key for key, row in choice_rows(*pair).items() if not row.differs] == ["phone"]


@pytest.mark.covers("S3.93")
def test_the_review_shows_every_field_with_its_result(pair: tuple[User, User]) -> None:
    plan = preview(*pair, choices={"profile": {"fields": {"phone": "destination"}}})
    shown = {row.what: (row.outcome.value, row.reason, row.detail) for row in rows(plan)}
    assert list(shown) == list(BUILT_IN.values())
    assert shown["Job title"] == (
        "changed",
        "the source's overwrites it",
        {"field": "job_title", "source": "Pilot", "destination": "Captain", "result": "Pilot"},
    )
    assert shown["Phone"] == (
        "stays",
        "the destination's was chosen",
        {"field": "phone", "source": "1", "destination": "2", "result": "2"},
    )


@pytest.mark.covers("P.10")
@pytest.mark.parametrize("place", [0, 1])
def test_a_field_that_changed_since_makes_the_review_stale(pair: tuple[User, User], place: int) -> None:
    choices = {"profile": {"fields": {"phone": "destination"}}}
    digest = preview(*pair, choices=choices).digest
    User.objects.filter(pk=pair[place].pk).update(phone="3")
    assert preview(*pair, choices=choices).digest != digest


def test_a_sign_in_does_not_make_it_stale(pair: tuple[User, User]) -> None:
    digest = preview(*pair).digest
    User.objects.filter(pk=pair[0].pk).update(last_login="2026-01-01T00:00:00Z")
    assert preview(*pair).digest == digest


class TestCustomFields:
    @pytest.fixture
    def field(self) -> ProfileField:
        return ProfileField.objects.create(key="size", label="Size")

    def held(self, *pair: User) -> list[list[tuple[int, str]]]:
        return [list(account.profile_values.values_list("pk", "value")) for account in pair]

    def test_a_value_moves_where_the_destination_has_none(self, pair: tuple[User, User], field: ProfileField) -> None:
        value = ProfileValue.objects.create(user=pair[0], field=field, value="M")
        merged(*pair)
        assert self.held(*pair) == [[], [(value.pk, "M")]]

    def test_it_overwrites_a_value_and_stays_itself(self, pair: tuple[User, User], field: ProfileField) -> None:
        mine, theirs = (ProfileValue.objects.create(user=one, field=field, value=one.username) for one in pair)
        merged(*pair)
        assert self.held(*pair) == [[(mine.pk, "old")], [(theirs.pk, "old")]]

    @pytest.mark.parametrize("choices", [{"fields": {"size": "destination"}}, {"merge": False}])
    def test_it_stays_when_it_is_not_taken(
        self, pair: tuple[User, User], field: ProfileField, choices: dict[str, Any]
    ) -> None:
        value = ProfileValue.objects.create(user=pair[0], field=field, value="M")
        merged(*pair, choices={"profile": choices})
        assert self.held(*pair) == [[(value.pk, "M")], []]

    def test_a_chosen_blank_empties_the_destinations(self, pair: tuple[User, User], field: ProfileField) -> None:
        value = ProfileValue.objects.create(user=pair[1], field=field, value="M")
        merged(*pair, choices={"profile": {"fields": {"size": "source"}}})
        assert self.held(*pair) == [[], [(value.pk, "")]]

    def test_undo_brings_every_value_back(self, pair: tuple[User, User], field: ProfileField) -> None:
        other = ProfileField.objects.create(key="shoe", label="Shoe")
        ProfileValue.objects.create(user=pair[0], field=other, value="44")
        for account in pair:
            ProfileValue.objects.create(user=account, field=field, value=account.username)
        before = [list(model.objects.order_by("pk").values()) for model in (User, ProfileValue)]
        root = superadmin()
        before[0] = list(User.objects.order_by("pk").values())
        merge = merged(*pair)
        services.undo_merge(actor=root, merge_id=merge.pk, reason="wrong")
        assert [list(model.objects.order_by("pk").values()) for model in (User, ProfileValue)] == before


class TestOrganisation:
    def branches(self, *names: str) -> list[Branch]:
        return [Branch.objects.create(name=name) for name in names]

    def names(self, account: User) -> list[str]:
        return sorted(account.branch_memberships.values_list("branch__name", flat=True))

    @pytest.fixture
    def placed(self, pair: tuple[User, User]) -> tuple[User, User]:
        """The source in North and South, the destination in South and West."""
        north, south, west = self.branches("North", "South", "West")
        for account, branch in ((pair[0], north), (pair[0], south), (pair[1], south), (pair[1], west)):
            BranchMembership.objects.create(user=account, branch=branch)
        return pair

    @pytest.mark.covers("S3.48", "S3.49", "S3.50")
    def test_branches_unite_and_each_membership_exists_once(self, placed: tuple[User, User]) -> None:
        merged(*placed)
        assert self.names(placed[1]) == ["North", "South", "West"]
        assert self.names(placed[0]) == ["South"]

    @pytest.mark.parametrize(
        ("policy", "choices"), [("keep_primary", None), ("best_record", {"profile": {"merge": False}})]
    )
    def test_otherwise_the_destinations_are_kept(
        self, placed: tuple[User, User], policy: str, choices: dict[str, Any] | None
    ) -> None:
        merged(*placed, policy=policy, choices=choices)
        assert self.names(placed[1]) == ["South", "West"]
        assert self.names(placed[0]) == ["North", "South"]

    @pytest.mark.covers("S3.46", "S3.47")
    @pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
    def test_managers_and_team_are_the_destinations(self, pair: tuple[User, User], policy: str) -> None:
        boss, chief, one, two = (person(name) for name in ("boss", "chief", "one", "two"))
        for user, manager in ((pair[0], boss), (pair[1], chief), (one, pair[0]), (two, pair[1]), (pair[1], pair[0])):
            ManagerAssignment.objects.create(user=user, manager=manager)
        before = list(ManagerAssignment.objects.order_by("pk").values())
        merge = merged(*pair, policy=policy)
        assert list(ManagerAssignment.objects.order_by("pk").values()) == before
        listed = merge.journal.filter(model="accounts.ManagerAssignment")
        assert {entry.kind for entry in listed} == {"stay"}
        assert sum(len(entry.ids) for entry in listed) == 3

    def test_undo_takes_the_branches_apart_again(self, placed: tuple[User, User]) -> None:
        before = list(BranchMembership.objects.order_by("pk").values())
        root = superadmin()
        merge = merged(*placed)
        services.undo_merge(actor=root, merge_id=merge.pk, reason="wrong")
        assert list(BranchMembership.objects.order_by("pk").values()) == before


class TestWarnings:
    def codes(self, source: User, destination: User, **more: Any) -> list[str]:
        return [warning.code for warning in preview(source, destination, **more).warnings]

    def test_two_different_people(self, pair: tuple[User, User]) -> None:
        assert {"different_names", "different_birth_dates"} <= set(self.codes(*pair))

    def test_one_person(self) -> None:
        facts = {"first_name": "Jane", "last_name": "Doe", "birth_date": date(1990, 1, 1)}
        assert self.codes(person("old", **facts), person("new", **facts | {"last_name": "DOE"})) == []

    def test_what_is_not_known_differs_from_nothing(self) -> None:
        blank = person("new", first_name="", last_name="")
        assert self.codes(person("old", birth_date=date(1990, 1, 1)), blank) == []

    def test_a_login_that_ends(self) -> None:
        pair = person("old", last_name="Doe"), person("new", last_name="Doe")
        assert self.codes(*pair, policy="keep_primary") == ["login_changes"]
