"""links/ and link-groups/: a learner's own accounts."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from linking import services
from linking.models import Link, LinkGroup
from tests.factories import PASSWORD, LearningRecordFactory, PowerUserFactory, UserFactory

LINKS = "/api/v1/links/"


@pytest.fixture
def other(db: None) -> User:
    return UserFactory.create(username="smith", password=PASSWORD)


def link(client: Any, **body: Any) -> Any:
    return client.post(LINKS, {"username": "smith", "password": PASSWORD, **body}, format="json")


@pytest.mark.covers("S0.11", "S0.14")
def test_it_links_and_says_so(caller: Any, learner: User, other: User) -> None:
    client = caller(learner)
    answer = link(client)
    assert answer.status_code == 201
    body = answer.json()
    group = LinkGroup.objects.get()
    assert body == {
        "id": Link.objects.get().pk, "group": group.pk, "accounts": [learner.pk, other.pk], "created": True,
        "status": "none", "owed": 0, "issued": 0,
    }  # fmt: skip
    again = link(client)
    assert (again.status_code, again.json()["created"], again.json()["group"]) == (200, False, group.pk)


def test_it_tells_the_progress_of_the_generation(
    caller: Any, learner: User, other: User, stranger: User, problem: Any
) -> None:
    for _ in range(2):
        LearningRecordFactory.create(user=other)
    client = caller(learner)
    made = link(client, generate_equivalencies=True).json()
    assert (made["status"], made["owed"], made["issued"]) == ("pending", 2, 0)
    while services.issue_owed():
        pass
    for owner in (client, caller(other)):
        shown = owner.get(f"{LINKS}{made['id']}/").json()
        assert (shown["status"], shown["owed"], shown["issued"]) == ("done", 2, 2)
    problem(caller(stranger).get(f"{LINKS}{made['id']}/"), 404)


@pytest.mark.covers("S0.12")
def test_it_gives_one_answer_about_the_other_account(caller: Any, learner: User, other: User, problem: Any) -> None:
    PowerUserFactory.create(username="boss", password=PASSWORD)
    UserFactory.create(username="gone", password=PASSWORD, status="inactive")
    client = caller(learner)
    answers = [
        problem(link(client, username=name, password=word), 400, "credentials_refused")
        for name, word in (("smith", "wrong"), ("nobody", PASSWORD), ("boss", PASSWORD), ("gone", PASSWORD))
    ]
    assert all(answer == answers[0] for answer in answers)
    assert not Link.objects.exists()


@pytest.mark.covers("S0.13")
def test_it_refuses_ones_own_account(caller: Any, problem: Any, other: User) -> None:
    problem(link(caller(other)), 409, "own_account")


def test_it_refuses_more_than_a_group_holds(
    caller: Any, problem: Any, learner: User, other: User, settings: Any
) -> None:
    settings.LINK_GROUP_LIMIT = 1
    problem(link(caller(learner)), 409, "group_is_full")


def test_it_refuses_privileged_callers(api: Any, caller: Any, power_user: User, other: User, problem: Any) -> None:
    problem(link(api), 403)
    problem(link(caller(power_user)), 403)


def test_it_is_throttled(caller: Any, learner: User, other: User, problem: Any, settings: Any) -> None:
    settings.SIGN_IN_FAILURE_LIMIT = 3
    client = caller(learner)
    for _ in range(3):
        problem(link(client, password="wrong"), 400)
    answer = link(client)
    problem(answer, 429)
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("body", [{"username": 1}, {"password": None}, {"generate_equivalencies": "yes"}, {"x": 1}])
def test_it_names_what_is_wrong(caller: Any, learner: User, problem: Any, body: Any) -> None:
    assert problem(link(caller(learner), **body), 400)["errors"][0]["field"] == next(iter(body))


@pytest.mark.covers("S0.37", "S0.38")
def test_there_is_no_unlinking(caller: Any, learner: User, other: User, problem: Any) -> None:
    client = caller(learner)
    made = link(client).json()
    for path in (f"{LINKS}{made['id']}/", f"/api/v1/link-groups/{made['group']}/"):
        for method in ("delete", "patch", "put"):
            problem(getattr(client, method)(path), 405)
    problem(client.post(f"{LINKS}{made['id']}/void/"), 404)
    problem(client.get(LINKS), 405)
    assert Link.objects.exists()


def test_groups_are_shown_to_their_members(api: Any, caller: Any, learner: User, other: User, stranger: User) -> None:
    link(caller(learner))
    group = {"id": LinkGroup.objects.get().pk, "accounts": [learner.pk, other.pk]}
    for client in (api, caller(learner), caller(other)):
        shown = client.get("/api/v1/link-groups/").json()["results"]
        assert [{name: row[name] for name in group} for row in shown] == [group]
        assert shown[0]["created_at"]
    assert api.get("/api/v1/link-groups/", {"user": other.pk}).json()["results"]
    assert api.get("/api/v1/link-groups/", {"user": stranger.pk}).json()["results"] == []
    assert caller(stranger).get("/api/v1/link-groups/").json()["results"] == []


def test_power_users_see_no_member_out_of_sight(caller: Any, learner: User, other: User, power_user: User) -> None:
    link(caller(learner))
    shown = caller(power_user).get("/api/v1/link-groups/").json()["results"]
    assert [row["accounts"] for row in shown] == [[learner.pk]]
