"""CSV files of users: found, compared, refused in words, written."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Alias, ProfileField, ProfileValue, Status, User
from audit.models import AuditEntry
from bulk import running, services
from bulk.errors import ImportRefused
from bulk.models import Import, ImportRow

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return User.objects.create_user("boss", "boss@example.org", role="superadmin")


def person(name: str, **more: Any) -> User:
    user: User = User.objects.create(username=name, email=f"{name}@example.org", **more)
    return user


def check(boss: User, text: str, kind: str = "users") -> Import:
    file = services.upload(actor=boss, kind=kind, file=io.BytesIO(text.encode()), name="u.csv", size=len(text))
    while services.work(file.pk):
        pass
    file.refresh_from_db()
    return file


def run(boss: User, text: str, kind: str = "users") -> Import:
    file = check(boss, text, kind)
    services.confirm(actor=boss, import_id=file.pk)
    while services.work(file.pk):
        pass
    file.refresh_from_db()
    return file


def findings(file: Import) -> list[tuple[str, str]]:
    return list(file.rows.order_by("line").values_list("verdict", "column"))


def test_it_writes_nothing_before_it_is_confirmed(boss: User) -> None:
    user = person("jane", phone="1")
    file = check(boss, "username,phone\njane,2\nnew,3\n")
    assert file.status == Import.Status.CHECKED
    assert file.rows.get(line=2).differences == {"phone": ["1", "2"]}
    user.refresh_from_db()
    assert (user.phone, User.objects.count()) == ("1", 2)


@pytest.mark.parametrize("key", ["id", "username", "email", "external_id", "employee_number"])
def test_it_finds_users_by_every_identifier(boss: User, key: str) -> None:
    user = person("Jane", external_id="x-1", employee_number="77")
    run(boss, f"{key},job_title\n{getattr(user, key)},Engineer\n")
    user.refresh_from_db()
    assert user.job_title == "Engineer"


@pytest.mark.covers("P.9")
def test_it_reaches_the_survivor_by_an_alias(boss: User) -> None:
    user = person("jane")
    Alias.objects.create(user=user, kind="username", value="Jane.Old")
    file = run(boss, "username,job_title\njane.old,Engineer\n")
    user.refresh_from_db()
    assert (user.job_title, user.username) == ("Engineer", "jane")
    assert findings(file) == [("changed", "")]


def test_it_adds_users(boss: User) -> None:
    file = run(boss, "username,email,first_name\nnew,new@example.org,Nova\n")
    assert User.objects.get(username="new").first_name == "Nova"
    assert list(file.rows.values_list("outcome", flat=True)) == ["added"]


def test_it_leaves_blank_cells_alone_and_clears_on_request(boss: User) -> None:
    user = person("jane", phone="1", job_title="Engineer")
    run(boss, "username,phone,job_title\njane,,(empty)\n")
    user.refresh_from_db()
    assert (user.phone, user.job_title) == ("1", "")


def test_it_writes_custom_fields_and_status(boss: User) -> None:
    user, field = person("jane"), ProfileField.objects.create(key="site", label="Site")
    run(boss, "username,profile.site,status\njane,Hamburg,inactive\n")
    user.refresh_from_db()
    assert ProfileValue.objects.get(user=user, field=field).value == "Hamburg"
    assert user.status == Status.INACTIVE


def test_one_bad_row_harms_no_other(boss: User) -> None:
    user = person("jane")
    file = run(boss, "username,email,birth_date\njane,,31.12.1990\njane2,jane2@example.org,1990-12-31\n")
    assert findings(file) == [("refused", "birth_date"), ("added", "")]
    assert not user.birth_date
    assert User.objects.filter(username="jane2").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("username,phone\njane,1\nJANE,2\n", [("changed", ""), ("refused", "")]),
        ("id,email\n{jane},tom@example.org\n", [("refused", "email")]),
        ("id,username\n{jane},TOM\n", [("refused", "username")]),
        ("username,email\na,x@example.org\nb,X@example.org\n", [("added", ""), ("refused", "email")]),
        ("id,phone\n999999,1\n", [("refused", "id")]),
        ("phone\n1\n", [("refused", "")]),
        ("username,phone\njane,1,2\n", [("refused", "")]),
        ("username,phone\njane,=1+1\n", [("refused", "phone")]),
        ("username,phone\njane,'=1+1\n", [("changed", "")]),
        ("username,email\nnew,nonsense\n", [("refused", "email")]),
        ("username\nnew\n", [("refused", "email")]),
    ],
)
def test_it_refuses_row_by_row(boss: User, text: str, expected: list[tuple[str, str]]) -> None:
    jane, _ = person("jane"), person("tom")
    file = check(boss, text.replace("{jane}", str(jane.pk)))
    assert findings(file) == expected
    refused = file.rows.filter(verdict="refused")
    assert all(row.reason for row in refused)


def test_it_refuses_files_that_are_too_large(boss: User, settings: Any) -> None:
    settings.IMPORT_MAX_ROWS = 1
    with pytest.raises(ImportRefused, match="more than 1 rows"):
        check(boss, "username\na\nb\n")
    assert not Import.objects.exists()


def test_it_goes_on_where_a_crash_stopped_it(boss: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "BATCH", 2)
    people = [person(f"u{n}") for n in range(5)]
    file = check(boss, "username,phone\n" + "".join(f"u{n},{n}\n" for n in range(5)))
    services.confirm(actor=boss, import_id=file.pk)
    assert services.work(file.pk)
    with monkeypatch.context() as broken:
        broken.setattr(running, "save", lambda rows: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            services.work(file.pk)
    assert User.objects.exclude(phone="").count() == 2
    while services.work(file.pk):
        pass
    assert [User.objects.get(pk=user.pk).phone for user in people] == list("01234")
    assert AuditEntry.objects.filter(action="user.updated").count() == 5


def test_it_finds_out_again_when_it_runs(boss: User) -> None:
    user = person("jane")
    file = check(boss, "username,job_title\njane,Engineer\n")
    User.objects.filter(pk=user.pk).update(job_title="Engineer")
    services.confirm(actor=boss, import_id=file.pk)
    while services.work(file.pk):
        pass
    assert list(file.rows.values_list("outcome", flat=True)) == ["unchanged"]


def test_it_stops_when_cancelled(boss: User) -> None:
    user = person("jane")
    file = check(boss, "username,phone\njane,2\n")
    services.cancel(actor=boss, import_id=file.pk)
    assert not services.work(file.pk)
    with pytest.raises(ImportRefused):
        services.confirm(actor=boss, import_id=file.pk)
    user.refresh_from_db()
    assert user.phone == ""


def test_it_lets_power_users_change_only_their_own(boss: User) -> None:
    helper = person("helper", role="power_user", rights=["users.view", "users.edit"])
    mine, other = person("mine"), person("other")
    helper.assigned_users.create(user=mine)
    file = run(helper, f"id,phone\n{mine.pk},1\n{other.pk},1\n{boss.pk},1\n")
    assert findings(file) == [("changed", ""), ("refused", "id"), ("refused", "id")]
    assert User.objects.get(pk=other.pk).phone == ""


def test_it_forgets_the_rows_of_old_files(boss: User) -> None:
    person("jane")
    old, new = run(boss, "username,phone\njane,1\n"), check(boss, "username,phone\njane,2\n")
    Import.objects.filter(pk=old.pk).update(uploaded_at=timezone.now() - timedelta(days=31))
    assert services.forget_old_rows() == 1
    assert list(ImportRow.objects.values_list("import_file", flat=True)) == [new.pk]


NAMES = ("ann", "bob", "cyd", "dan", "eve")
CELLS = st.fixed_dictionaries(
    {
        "username": st.sampled_from([*NAMES, "ANN", "zoe", "yan", "old", ""]),
        "email": st.sampled_from([*(f"{name}@example.org" for name in NAMES), "zoe@example.org", "bad", ""]),
        "phone": st.sampled_from(["", "1", "+49 1", "=2"]),
    }
)


def expected_verdicts(rows: list[dict[str, str]]) -> list[str]:
    """The rules of a users file again, in plain Python: ann, bob and cyd are there, "old" is cyd's alias, dan isn't."""
    there = {"ann": "ann", "bob": "bob", "cyd": "cyd", "old": "cyd"}
    first = [_alone(row, there) for row in rows]
    _later_refused(first, lambda found: found["account"])
    _later_refused(first, lambda found: found["username"])
    _later_refused(first, lambda found: found["email"])
    return [found["verdict"] for found in first]


def _alone(row: dict[str, str], there: dict[str, str]) -> dict[str, Any]:
    name, mail = row["username"].lower(), row["email"].lower()
    found: dict[str, Any] = {"verdict": "refused", "account": None, "username": None, "email": None}
    if row["phone"].startswith("="):
        return found
    key = name or mail
    account = there.get(name) if name else there.get(mail.removesuffix("@example.org")) if "@" in mail else None
    if not key or mail == "bad":
        return found
    if account is None:
        owner = mail.removesuffix("@example.org")
        if not name or not mail or owner in ("ann", "bob", "cyd"):
            return found
        return found | {"verdict": "added", "username": name, "email": mail}
    found["account"] = account
    changes = bool(row["phone"])
    if name and name != "old" and row["username"] != account:
        changes = True  # another case is another value
        found["username"] = name
    if name and mail and mail != f"{account}@example.org":
        if mail.removesuffix("@example.org") in ("ann", "bob", "cyd"):
            return found | {"account": None, "username": None}
        changes, found["email"] = True, mail
    return found | {"verdict": "changed" if changes else "unchanged"}


def _later_refused(found: list[dict[str, Any]], key: Any) -> None:
    seen = set()
    for one in found:
        if one["verdict"] != "refused" and key(one) is not None:
            if key(one) in seen:
                one["verdict"] = "refused"
            seen.add(key(one))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(rows=st.lists(CELLS.filter(lambda row: any(row.values())), min_size=1, max_size=6))
def test_it_agrees_with_a_model_of_the_rules(boss: User, rows: list[dict[str, str]]) -> None:
    User.objects.filter(pk__gt=boss.pk).delete()
    for name in ("ann", "bob", "cyd"):
        person(name)
    Alias.objects.create(user=User.objects.get(username="cyd"), kind="username", value="old")
    text = "username,email,phone\n" + "".join(f"{r['username']},{r['email']},{r['phone']}\n" for r in rows)
    file = check(boss, text)
    assert [verdict for verdict, _ in findings(file)] == expected_verdicts(rows)
    Alias.objects.all().delete()
