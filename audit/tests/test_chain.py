"""The chains of hashes: whoever alters, removes, swaps, cuts or puts in an entry by hand is found out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

import audit.services
from audit import chain
from audit.models import AuditEntry, AuditHead, AuditLink
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


def record(count: int = 1, subject_id: int | None = None) -> list[int]:
    """Entries in one transaction, so in one chain."""
    before = set(AuditEntry.objects.values_list("pk", flat=True))
    with transaction.atomic():
        audit.services.record_all("thing.done", [(subject_id, {"n": n}) for n in range(count)], actor_id=None)
        chain.settle()
    return sorted(set(AuditEntry.objects.values_list("pk", flat=True)) - before)


def by_force(sql: str, *values: Any) -> None:
    """As somebody who may do everything in this database, the triggers out of the way."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, values)
        cursor.execute("SET LOCAL session_replication_role = origin")


def told() -> list[str]:
    return [str(fault) for fault in chain.faults()]


@committed
def test_each_entry_is_linked_to_the_one_before_it() -> None:
    record(3)

    links = list(AuditLink.objects.order_by("place"))
    assert [link.place for link in links] == [1, 2, 3]
    assert [bytes(link.previous) for link in links[1:]] == [bytes(link.hash) for link in links[:2]]
    assert bytes(links[0].previous) == b""
    head = AuditHead.objects.get(chain=links[0].chain)
    assert (head.length, bytes(head.hash)) == (3, bytes(links[2].hash))
    assert told() == []


def test_an_altered_entry_is_named() -> None:
    ids = record(3)
    for column, value in (
        ("detail", '{"n": 9}'),
        ("action", "x.y"),
        ("actor_id", 5),
        ("origin", "x"),
        ("at", "2020-01-01"),
    ):
        with transaction.atomic():
            by_force(f"UPDATE audit_auditentry SET {column} = %s WHERE id = %s", value, ids[1])
            assert told() == [f"Audit entry {ids[1]} was altered."], column
            transaction.set_rollback(True)


def test_a_deleted_entry_is_named() -> None:
    ids = record(3)
    by_force("DELETE FROM audit_auditentry WHERE id = %s", ids[1])

    assert told() == [f"Audit entry {ids[1]} is missing."]


def test_an_entry_deleted_with_its_link_leaves_a_gap() -> None:
    ids = record(4)
    by_force("DELETE FROM audit_auditentry WHERE id = %s", ids[1])
    by_force("DELETE FROM audit_auditlink WHERE entry_id = %s", ids[1])

    assert [line.partition(" of chain")[0] for line in told()] == [f"Audit entry {ids[2]} follows a gap: places 2 to 2"]


def test_the_first_of_a_chain_cannot_go_either() -> None:
    ids = record(2)
    by_force("DELETE FROM audit_auditentry WHERE id = %s", ids[0])
    by_force("DELETE FROM audit_auditlink WHERE entry_id = %s", ids[0])

    assert told()[0].startswith(f"Audit entry {ids[1]} follows a gap: places 1 to 1")


def test_two_swapped_entries_are_named() -> None:
    ids = record(3)
    by_force(
        "UPDATE audit_auditentry e SET detail = o.detail FROM audit_auditentry o"
        " WHERE e.id = ANY(%s) AND o.id = ANY(%s) AND o.id <> e.id",
        ids[:2],
        ids[:2],
    )

    assert told() == [f"Audit entry {pk} was altered." for pk in ids[:2]]


def test_two_swapped_links_are_named() -> None:
    first, second = record(2)
    by_force("UPDATE audit_auditlink SET entry_id = -entry_id")
    by_force("UPDATE audit_auditlink SET entry_id = CASE -entry_id WHEN %s THEN %s ELSE %s END", first, second, first)

    assert told() == [f"Audit entry {pk} was altered." for pk in (first, second)]


def test_a_cut_end_is_named() -> None:
    ids = record(4)
    by_force("DELETE FROM audit_auditentry WHERE id = ANY(%s)", ids[2:])
    by_force("DELETE FROM audit_auditlink WHERE entry_id = ANY(%s)", ids[2:])

    assert len(told()) == 1
    assert told()[0].startswith(f"Audit entry {ids[1]} is the last of chain ")
    assert told()[0].endswith("which was cut: 2 entries after it are missing.")


def test_a_chain_cut_as_a_whole_is_noticed() -> None:
    record(2)
    by_force("DELETE FROM audit_auditentry")
    by_force("DELETE FROM audit_auditlink")

    assert told()[0].endswith("which was cut: 2 entries after it are missing.")


def test_an_entry_put_in_by_hand_is_named() -> None:
    ids = record(2)
    by_force(
        "INSERT INTO audit_auditentry (id, action, detail, origin, at) VALUES (%s, 'x.y', '{}', '', now())", ids[1] + 99
    )

    assert told() == [f"Audit entry {ids[1] + 99} was inserted by hand: it is in no chain."]


def test_a_rewritten_chain_differs_from_the_ends_that_were_noted(tmp_path: Path) -> None:
    """Somebody who may do everything can hash again; nobody can change what was noted elsewhere."""
    ids = record(3)
    out = StringIO()
    call_command("verify_audit", "--heads", stdout=out)
    noted = tmp_path / "heads"
    noted.write_text(out.getvalue())
    call_command("verify_audit", "--noted", str(noted), stdout=StringIO())
    record(2)
    call_command("verify_audit", "--noted", str(noted), stdout=StringIO())

    by_force("DELETE FROM audit_auditentry WHERE id >= %s", ids[1])
    by_force("DELETE FROM audit_auditlink WHERE entry_id >= %s", ids[1])
    by_force(
        "UPDATE audit_audithead h SET (length, hash) = (SELECT l.place, l.hash FROM audit_auditlink l WHERE l.chain = h.chain)"
        " WHERE EXISTS (SELECT FROM audit_auditlink l WHERE l.chain = h.chain)"
    )
    assert told() == []
    err = StringIO()
    with pytest.raises(SystemExit):
        call_command("verify_audit", "--noted", str(noted), stdout=StringIO(), stderr=err)
    assert "isn't in its chain any more" in err.getvalue()


def test_the_command_names_the_first_broken_entry_and_fails() -> None:
    ids = record(3)
    out, err = StringIO(), StringIO()
    call_command("verify_audit", stdout=out)
    assert out.getvalue() == "All 3 audit entries are as they were written.\n"

    by_force("UPDATE audit_auditentry SET action = 'x.y' WHERE id = ANY(%s)", ids[1:])
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", stderr=err)
    assert ended.value.code == 1
    assert err.getvalue() == f"Audit entry {ids[1]} was altered.\n"


@committed
def test_nothing_stays_of_an_act_that_was_taken_back() -> None:
    record()
    with transaction.atomic():
        record_in_savepoints()
        transaction.set_rollback(True)

    assert (AuditEntry.objects.count(), AuditLink.objects.count()) == (1, 1)
    assert told() == []


@committed
def test_savepoints_taken_back_leave_the_rest_linked() -> None:
    with transaction.atomic():
        record_in_savepoints()

    assert (AuditEntry.objects.count(), AuditLink.objects.count()) == (2, 2)
    assert told() == []


def record_in_savepoints() -> None:
    audit.services.record("a.b", actor_id=None, subject_id=None)
    with transaction.atomic():
        audit.services.record("b.c", actor_id=None, subject_id=None)
        transaction.set_rollback(True)
    with transaction.atomic():
        audit.services.record("c.d", actor_id=None, subject_id=None)


def in_threads(works: list[Callable[[], None]]) -> None:
    """All of them at once, each on a connection of its own."""
    errors: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@committed
def test_many_writers_at_once_break_no_chain() -> None:
    """With one chain for all of them to begin with; whoever finds it taken makes another."""
    record()
    by_force("DELETE FROM audit_audithead WHERE length = 0")

    def write() -> None:
        for _ in range(15):
            with transaction.atomic():
                audit.services.record_all("thing.done", [(None, {"n": n}) for n in range(3)], actor_id=None)

    in_threads([write] * 6)

    assert AuditLink.objects.count() == AuditEntry.objects.count() == 1 + 6 * 15 * 3
    assert told() == []


@committed
def test_a_note_about_an_account_does_not_wait_for_whoever_holds_it() -> None:
    """Not for a merge that holds the account, and not for the long transaction of another writer."""
    account = UserFactory.create()

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM accounts_user WHERE id = %s FOR UPDATE", [account.pk])
        audit.services.record("merge.done", actor_id=None, subject_id=account.pk)
        in_threads([lambda: patiently(account.pk)])

    assert AuditLink.objects.count() == 2
    assert told() == []


def patiently(account_id: int) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '500ms'")
        audit.services.record("user.viewed", actor_id=None, subject_id=account_id)


@committed
def test_the_lock_on_a_chain_comes_after_every_other_check_of_the_commit() -> None:
    """With one chain alone: a commit that must wait for an account holds no chain meanwhile, else both would wait."""
    account = UserFactory.create()
    record()
    by_force("DELETE FROM audit_audithead WHERE length = 0")
    (only,) = AuditHead.objects.values_list("chain", flat=True)
    wait = threading.Event()

    def events_after_the_entry() -> None:
        with transaction.atomic():
            audit.services.record("a.b", actor_id=None, subject_id=None)
            audit.services.announce("x.y", {}, subject_id=account.pk)  # its key is checked at the commit, and waits
            wait.set()
        connection.close()

    waiting = threading.Thread(target=events_after_the_entry)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM accounts_user WHERE id = %s FOR UPDATE", [account.pk])
        waiting.start()
        assert wait.wait(10)
        while not is_anybody_waiting():
            pass
        cursor.execute("SELECT FROM audit_audithead WHERE chain = %s FOR UPDATE NOWAIT", [only])
    waiting.join()

    assert told() == []


def is_anybody_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])
