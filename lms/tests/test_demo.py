"""The demo data: the same each time, refused twice, and true to its own rules."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.apps import apps
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Sum

from accounts.models import Branch, User
from commerce.models import Transaction
from learning_records.models import Course, Enrollment, LearningRecord, MaterialTracking
from lms.demo import signins
from lms.demo.load import AlreadyLoaded, load
from lms.demo.stage import all_pairs
from lms.demo.words import FIRST_NAMES, LAST_NAMES, name_of
from lms.laws import verify
from rewards.models import CoinEntry
from tests.fingerprints import analyze, fingerprint

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
USERS = 120
pytestmark = pytest.mark.django_db


def loaded_and_taken_back(users: int) -> dict[str, str]:
    with transaction.atomic():
        load(users, NOW)
        found = fingerprint()
        transaction.set_rollback(True)
    return found


def test_it_is_the_same_each_time() -> None:
    assert loaded_and_taken_back(USERS) == loaded_and_taken_back(USERS)


def test_it_has_as_many_people_as_asked_for() -> None:
    load(USERS, NOW)
    assert User.objects.count() == USERS


def test_it_never_has_fewer_than_the_pairs_need() -> None:
    load(0, NOW)
    names = {name for pair, _ in all_pairs() for name in (pair.source, pair.destination)}
    assert names <= set(User.objects.values_list("username", flat=True))


def test_it_refuses_to_load_twice() -> None:
    load(0, NOW)
    with pytest.raises(AlreadyLoaded):
        load(0, NOW)
    with pytest.raises(CommandError, match="accounts in this database already"):
        call_command("demo")


def test_it_leaves_room_for_what_comes_after() -> None:
    load(0, NOW)
    last = Course.objects.latest("id").pk
    assert Course.objects.create(title="One more").pk == last + 1
    assert User.objects.create_user("somebody", "somebody@example.org").pk


def test_it_tells_who_may_sign_in_only_while_they_may() -> None:
    def said() -> str:
        out = StringIO()
        call_command("demo", "--sign-ins", stdout=out)
        return out.getvalue()

    assert said().strip() == ""
    load(0, NOW)
    assert "admin" in said()
    assert signins.PASSWORD in said()
    admin = User.objects.get(username="admin")
    admin.set_password("another-one")
    admin.save()
    assert "superadmin" not in said()


def test_it_prints_the_pairs_and_its_progress() -> None:
    out = StringIO()
    call_command("demo", "--users", "60", stdout=out)
    assert "learners with their histories" in out.getvalue()
    assert "nils.dahl → nils.dahlberg: a licence" in out.getvalue()


def test_it_lets_everybody_in_with_one_password() -> None:
    load(0, NOW)
    assert authenticate(username="admin", password=signins.PASSWORD) is not None
    assert not authenticate(username="admin", password="wrong")


def test_it_shows_every_kind_of_data() -> None:
    load(USERS, NOW)
    apart = {"accounts_alias",
        "accounts_session", "accounts_apitoken", "accounts_signinfailure", "learning_records_pendingrecord",
             "learning_records_earliervalidity"}  # fmt: skip
    own = ("accounts", "learning_records", "rewards", "commerce", "linking")
    models = [model for label in own for model in apps.get_app_config(label).get_models()]
    empty = {model._meta.db_table for model in models if not model._default_manager.exists()}
    assert empty <= apart
    assert {"scorm", "xapi"} <= set(MaterialTracking.objects.exclude(responses={}).values_list("kind", flat=True))
    assert Transaction.objects.values("currency").distinct().count() >= 5
    assert Branch.objects.filter(parent__parent__parent__isnull=False).exists()


def test_it_gives_each_completion_its_learning_record() -> None:
    load(USERS, NOW)
    done = Enrollment.objects.filter(status="completed")
    assert done.count() > USERS
    assert not done.filter(learning_record=None).exists()
    assert not LearningRecord.objects.exclude(enrollment=None).exclude(enrollment__status="completed").exists()


def test_it_spends_no_coins_that_nobody_has() -> None:
    load(400, NOW)
    balances = CoinEntry.objects.values("user").annotate(balance=Sum("amount"))
    assert balances.filter(balance__lt=0).count() == 0


def test_it_dates_nothing_after_its_moment() -> None:
    load(USERS, NOW)
    assert not LearningRecord.objects.filter(completed_at__gt=NOW).exists()
    assert not User.objects.filter(last_login__gt=NOW).exists()


def test_it_never_runs_out_of_usernames() -> None:
    everybody = len(FIRST_NAMES) * len(LAST_NAMES)
    assert len({name_of(number)[2] for number in range(2 * everybody)}) == 2 * everybody
    assert name_of(everybody)[2] == f"{name_of(0)[2]}2"


def test_it_sends_in_batches_and_says_so() -> None:
    seen: list[tuple[int, int]] = []
    load(1200, NOW, lambda done, users: seen.append((done, users)))
    assert [done for done, _ in seen[:2]] == [500, 1000]
    assert seen[-1][0] == seen[-1][1]


def test_it_keeps_every_law() -> None:
    load(400, NOW)
    analyze()
    assert [str(breach) for breach in verify()] == []
