"""CSV files of merges, checked as a graph, and of learning records."""

from decimal import Decimal

import pytest

from accounts.models import User
from bulk.models import Import
from bulk.tests.test_users import check, findings, run
from learning_records.models import Course, LearningRecord, PendingRecord
from merging.models import Merge

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    for name in "abcd":
        User.objects.create(username=name, email=f"{name}@example.org", first_name="Jane", last_name="Doe")
    return User.objects.create_user("boss", "boss@example.org", role="superadmin")


def test_it_merges_each_row(boss: User) -> None:
    file = run(boss, "source,destination,policy,reason\na,b,keep_primary,rehired\nc,d@example.org,,\n", "merges")
    assert list(Merge.objects.order_by("id").values_list("source__username", "destination__username", "policy")) == [
        ("a", "b", "keep_primary"),
        ("c", "d", "best_record"),
    ]
    assert list(file.rows.values_list("outcome", flat=True)) == ["changed", "changed"]
    assert Merge.objects.order_by("id")[0].reason == "rehired"


def test_it_tries_out_without_merging(boss: User) -> None:
    file = check(boss, "source,destination\na,b\n", "merges")
    assert findings(file) == [("changed", "")]
    assert not Merge.objects.exists()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("a,b\na,c\n", ["changed", "refused"]),
        ("a,b\nb,a\n", ["refused", "refused"]),
        ("a,b\nb,c\n", ["refused", "changed"]),
        ("a,b\nb,c\nc,a\n", ["refused", "refused", "refused"]),
        ("a,a\n", ["refused"]),
        ("a,boss\n", ["refused"]),
        ("a,nobody\nc,d\n", ["refused", "changed"]),
        ("a,b,guess\n", ["refused"]),
    ],
    ids=["repeated source", "both ways", "chain", "circle", "itself", "privileged", "unknown", "policy"],
)
def test_it_checks_the_rows_as_a_graph(boss: User, rows: str, expected: list[str]) -> None:
    header = "source,destination,policy" if rows.count(",") > rows.count("\n") else "source,destination"
    file = check(boss, f"{header}\n{rows}", "merges")
    assert [verdict for verdict, _ in findings(file)] == expected


def test_it_refuses_a_pair_that_changed_since_the_check(boss: User) -> None:
    file = check(boss, "source,destination\na,b\n", "merges")
    User.objects.filter(username="a").update(phone="new")
    from bulk import services

    services.confirm(actor=boss, import_id=file.pk)
    while services.work(file.pk):
        pass
    assert list(file.rows.values_list("outcome", flat=True)) == ["refused"]
    assert not Merge.objects.exists()


def test_it_receives_records(boss: User) -> None:
    course = Course.objects.create(title="Safety", code="S-1", validity_days=365)
    text = "user,kind,course,title,completed_at,score\na,,S-1,,2025-03-04,90\nb,program,,Leadership,2025-05-06T07:08:09Z,\n"
    file = run(boss, text, "records")
    first, second = LearningRecord.objects.order_by("id")
    assert (first.user.username, first.course) == ("a", course)
    assert first.score == Decimal(90)
    assert first.expires_at is not None
    assert (second.kind, second.title, second.expires_at) == ("program", "Leadership", None)
    assert PendingRecord.objects.count() == 2
    assert file.status == Import.Status.DONE


def test_it_receives_no_record_twice(boss: User) -> None:
    Course.objects.create(title="Safety")
    text = "user,course,completed_at\na,Safety,2025-03-04\na,safety,2025-03-04\n"
    assert findings(run(boss, text, "records")) == [("added", ""), ("refused", "")]
    assert [verdict for verdict, _ in findings(run(boss, text, "records"))] == ["unchanged", "unchanged"]
    assert LearningRecord.objects.count() == 1


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("nobody,,Safety,,2025-01-01,", "user"),
        ("a,,Unsafety,,2025-01-01,", "course"),
        ("a,,,,2025-01-01,", "course"),
        ("a,program,,,2025-01-01,", "title"),
        ("a,hobby,,X,2025-01-01,", "kind"),
        ("a,,Safety,,01/02/2025,", "completed_at"),
        ("a,,Safety,,2999-01-01,", "completed_at"),
        ("a,,Safety,,2025-01-01,101", "score"),
        ("a,,Safety,,2025-01-01,NaN", "score"),
    ],
)
def test_it_names_the_column_that_is_wrong(boss: User, row: str, column: str) -> None:
    Course.objects.create(title="Safety")
    file = check(boss, f"user,kind,course,title,completed_at,score\n{row}\n", "records")
    assert findings(file) == [("refused", column)]
