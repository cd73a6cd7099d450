"""Two roles in the private PostgreSQL: the owner of the tables, and the one that web, worker and most commands have."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

from launcher import command, servers, where
from launcher.tests.test_servers import query

NOTE = """
    INSERT INTO audit_auditentry (action, detail, origin)
    VALUES ('merge.done', '{"merge": 7, "reason": "Jane Doe is back", "policy": "best_record"}',
            'REST 10.0.0.1 token Feed of Jane'),
           ('user.updated', '{"fields": ["email"], "rows": [1, 2]}', '10.0.0.1')
"""


def manage(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DATA_DIR": str(data)}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=where.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def as_application(data: Path, sql: str) -> object:
    connection = psycopg2.connect(where.application_url(data))
    with connection, connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone() if cursor.description else None
    connection.close()
    return row


def test_web_and_worker_have_a_role_without_powers(data: Path) -> None:
    with servers.lease(data, for_tests=True):
        assert as_application(data, "SELECT count(*) FROM accounts_user") == (0,)
        assert query(data, "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = 'lms_app'") == [
            (False, False, False)
        ]
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            as_application(data, "CREATE TABLE mine ()")


def test_commands_have_that_role_too_and_migrations_the_owners(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.lease(data, for_tests=True):
        shell = ["shell", "-v", "0", "-c", "from django.db import connection as c; c.ensure_connection(); "]
        shell[-1] += "print(c.cursor().connection.info.user)"
        assert manage(data, *shell).stdout.strip() == "lms_app"
        assert manage(data, "migrate", "-v", "0").returncode == 0

    monkeypatch.setenv("DATA_DIR", str(data))
    for name in ("check", "help"):
        with command.servers_for(["manage.py", name]):
            assert "DATABASE_ROLE" not in os.environ
    monkeypatch.setenv("DATABASE_ROLE", "")
    monkeypatch.delenv("DATABASE_ROLE")
    with command.servers_for(["manage.py", "migrate", "--help"]):
        assert os.environ["DATABASE_ROLE"] == "owner"
    monkeypatch.delenv("DATABASE_ROLE")


def test_a_data_folder_of_an_earlier_release_is_brought_along(data: Path) -> None:
    """One role, no chains, sentences in the audit: then the next start, as `make run` does it."""
    with servers.lease(data, for_tests=True):
        done = manage(data, "migrate", "audit", "0001", "-v", "0")
        assert done.returncode == 0, done.stderr
        query(data, "DROP OWNED BY lms_app; DROP ROLE lms_app")
        query(data, NOTE)

    with servers.lease(data, for_tests=True):
        done = manage(data, "migrate", "--no-input", "-v", "0")
        assert done.returncode == 0, done.stderr
        assert as_application(
            data, "SELECT count(*) FROM audit_auditentry e JOIN audit_auditlink l ON l.entry_id = e.id"
        ) == (2,)
        rows = query(data, "SELECT action, detail, origin FROM audit_auditentry ORDER BY id")
        done = manage(data, "verify_audit")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "All 2 audit entries are as they were written.\n"
    assert rows == [
        ("merge.done", {"merge": 7, "policy": "best_record"}, "REST 10.0.0.1 token"),
        ("user.updated", {"fields": ["email"], "rows": [1, 2]}, "10.0.0.1"),
    ]


def test_one_given_role_does_everything(monkeypatch: pytest.MonkeyPatch, empty: Path) -> None:
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner@db/lms")  # of no use alone
    assert where.owner_url(empty) == where.database_url(empty)

    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db/lms")
    assert where.owner_url(empty) == "postgresql://owner@db/lms"
    assert where.chosen_url(empty) == where.application_url(empty) == "postgresql://app@db/lms"
    monkeypatch.setenv("DATABASE_ROLE", "owner")
    assert where.chosen_url(empty) == "postgresql://owner@db/lms"

    monkeypatch.delenv("DATABASE_OWNER_URL")
    assert where.owner_url(empty) == where.application_url(empty)
