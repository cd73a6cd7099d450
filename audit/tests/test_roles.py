"""The role of web and worker: it can do all that the portal does, and nothing to the audit but read it and add to it."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import psycopg2
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import ProgrammingError, connection
from django.test import Client
from django.urls import reverse

import audit.services
from accounts.models import User
from audit import chain, roles
from audit.models import AuditEntry
from bulk import tasks
from bulk.models import Import
from lms.laws import verify
from merging import services
from tests.factories import EnrollmentFactory, SuperadminFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def as_application(transactional_db: None) -> Iterator[None]:
    """The portal's own connection, opened as web and worker open it. Tests are made and emptied by the owner."""
    owner = connection.settings_dict["USER"]
    connection.close()
    connection.settings_dict["USER"] = settings.DATABASE_APPLICATION_ROLE
    yield
    connection.close()
    connection.settings_dict["USER"] = owner


FORBIDDEN = (
    "UPDATE audit_auditentry SET action = 'x'",
    "DELETE FROM audit_auditentry",
    "TRUNCATE audit_auditentry",
    "TRUNCATE audit_auditlink, audit_audithead",
    "ALTER TABLE audit_auditentry DISABLE TRIGGER ALL",
    "ALTER TABLE audit_auditentry DISABLE TRIGGER audit_note",
    "ALTER TABLE audit_pending DISABLE TRIGGER audit_chain",
    "ALTER TABLE audit_auditentry ADD COLUMN x int",
    "DROP TABLE audit_auditlink",
    "DROP TRIGGER audit_note ON audit_auditentry",
    "DROP FUNCTION audit_link(bigint[])",
    "CREATE OR REPLACE FUNCTION audit_note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "CREATE TRIGGER mine BEFORE INSERT ON audit_auditentry EXECUTE FUNCTION audit_note()",
    "INSERT INTO audit_auditlink VALUES (1, 1, 1, '', '')",
    "UPDATE audit_auditlink SET hash = ''",
    "DELETE FROM audit_auditlink",
    "UPDATE audit_audithead SET length = 0",
    "DELETE FROM audit_audithead",
    "INSERT INTO audit_audithead VALUES (99, 0, '')",
    "DELETE FROM audit_pending",
    "SELECT audit_link('{1}')",
    "SET session_replication_role = replica",
    "SET ROLE lms",
    "ALTER ROLE lms_app SUPERUSER",
    "ALTER SYSTEM SET fsync = off",
    "COPY audit_auditentry TO PROGRAM 'true'",
    "CREATE TABLE mine ()",
    "CREATE TEMP TABLE audit_auditentry ()",
    "DELETE FROM django_migrations",
)


@pytest.fixture
def temporary_tables_are_allowed(transactional_db: None) -> Iterator[None]:
    """As on a server whose owner didn't take that right away. Before `as_application`: the owner says it."""
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT TEMPORARY ON DATABASE {connection.settings_dict['NAME']} TO PUBLIC")
    yield
    roles.grant()


def test_it_can_do_nothing_else_to_the_audit(as_application: None) -> None:
    audit.services.record("thing.done", actor_id=None, subject_id=None)
    for statement in FORBIDDEN:
        with connection.cursor() as cursor, pytest.raises(ProgrammingError) as refusal:
            cursor.execute(statement)
        assert isinstance(refusal.value.__cause__, psycopg2.errors.InsufficientPrivilege), statement
    assert AuditEntry.objects.count() == 1
    assert chain.faults() == []


def test_it_can_grant_itself_nothing(as_application: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("GRANT UPDATE, TRUNCATE ON audit_auditentry TO lms_app")  # a warning, and nothing else

    assert roles.powers() == []


def test_a_table_of_its_own_never_takes_the_place_of_the_chain(
    temporary_tables_are_allowed: None, as_application: None
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE audit_pending (ids bigint[], checked boolean)")
        cursor.execute("CREATE TEMP TABLE audit_auditlink (LIKE public.audit_auditlink)")
    audit.services.record("thing.done", actor_id=None, subject_id=None)
    connection.close()

    assert AuditEntry.objects.filter(link__isnull=False).count() == 1


def test_the_owner_could() -> None:
    """Else the refusals above would say nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (settings.DATABASE_OWNER_ROLE, True)
        cursor.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE audit_auditentry ENABLE TRIGGER USER")


def test_its_powers_over_the_audit_are_none(as_application: None) -> None:
    assert roles.powers() == []


def test_powers_that_it_should_not_have_are_told_and_taken_away() -> None:
    with connection.cursor() as cursor:
        cursor.execute("GRANT UPDATE, TRUNCATE ON audit_auditentry TO lms_app")
    err = StringIO()
    call_command("verify_audit", stdout=StringIO(), stderr=err)
    assert "may change entries" in err.getvalue()
    assert "may empty the audit" in err.getvalue()

    roles.grant()
    assert roles.powers() == []


def test_a_new_table_is_granted_by_the_next_migration() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE brand_new (id bigint GENERATED BY DEFAULT AS IDENTITY)")
        roles.grant()
        cursor.execute(
            "SELECT has_table_privilege('lms_app', 'brand_new', 'UPDATE'),"
            " has_table_privilege('lms_app', 'brand_new', 'TRUNCATE')"
        )
        held = cursor.fetchone()
        cursor.execute("DROP TABLE brand_new")
    assert held == (True, False)


def test_one_role_for_everything_is_warned_of(settings: object) -> None:
    assert roles.check_roles(None) == []
    settings.DATABASE_APPLICATION_ROLE = "lms"  # type: ignore[attr-defined]
    assert [warning.id for warning in roles.check_roles(None)] == ["audit.W001"]


@pytest.fixture
def admin() -> User:
    return SuperadminFactory.create(username="root", password="learn-2-merge")


def test_it_signs_in_merges_and_undoes(admin: User, as_application: None, client: Client) -> None:
    source, destination = UserFactory.create(), UserFactory.create()
    EnrollmentFactory.create(user=source)
    client.post(reverse("accounts:sign_in"), {"username": "root", "password": "learn-2-merge"})
    assert client.get(reverse("accounts:user", args=[source.pk])).status_code == 200

    merge = services.request_merge(
        actor=admin, source_id=source.pk, destination_id=destination.pk, policy="best_record"
    )
    assert merge.status == "done"
    assert services.undo_merge(actor=admin, merge_id=merge.pk, reason="two people").status == "undone"
    assert verify() == []


def test_it_imports_a_file(admin: User, as_application: None, client: Client) -> None:
    client.force_login(admin)
    file = SimpleUploadedFile("new.csv", b"username,email\nnew.one,new.one@example.org\n")
    client.post(reverse("bulk:upload", args=["users"]), {"file": file})
    found = Import.objects.get()
    tasks.work(found.pk)
    client.post(reverse("bulk:confirm", args=[found.pk]))
    tasks.work(found.pk)

    assert User.objects.filter(username="new.one").exists()
    assert verify() == []
