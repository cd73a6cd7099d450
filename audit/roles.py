"""What the application's role may do in the database: rows of all tables, and of the audit to read and to add.

The owner of the tables grants it after each migration, so that new tables are never forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

# For each table and sequence what the role should hold and what it holds; those alone that differ.
DIFFERENCES = """
    SELECT format('%%I.%%I', current_schema(), c.relname), c.relkind = 'S', w.privileges
    FROM pg_class c
    CROSS JOIN LATERAL (SELECT CASE
        WHEN c.relname = 'audit_auditentry' THEN '{INSERT,SELECT}'
        WHEN c.relname IN ('audit_auditlink', 'audit_audithead', 'django_migrations') THEN '{SELECT}'
        WHEN c.relname = 'audit_pending' THEN '{}'
        WHEN c.relname LIKE 'audit\\_auditentry%%' THEN '{SELECT}'
        WHEN c.relkind = 'S' THEN '{SELECT,UPDATE,USAGE}'
        ELSE '{DELETE,INSERT,SELECT,UPDATE}' END::text[] AS privileges) w
    CROSS JOIN LATERAL (SELECT coalesce(array_agg(a.privilege_type ORDER BY a.privilege_type), '{}') AS privileges
                        FROM aclexplode(c.relacl) a WHERE a.grantee = %(role)s::regrole) h
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')
      AND c.relowner = current_user::regrole AND h.privileges <> w.privileges
"""

# What nobody but the owner should be able to do, and the application's role can.
POWERS = """
    SELECT power FROM (VALUES
        ('is a superuser', (SELECT rolsuper FROM pg_roles WHERE rolname = %(role)s)),
        ('owns the audit, or may act as its owner', pg_has_role(%(role)s, (
            SELECT relowner FROM pg_class WHERE oid = 'audit_auditentry'::regclass), 'MEMBER')),
        ('may change entries', has_table_privilege(%(role)s, 'audit_auditentry', 'UPDATE')),
        ('may remove entries', has_table_privilege(%(role)s, 'audit_auditentry', 'DELETE')),
        ('may empty the audit', has_table_privilege(%(role)s, 'audit_auditentry', 'TRUNCATE')),
        ('may make temporary tables, which stand before those of the audit',
            has_database_privilege(%(role)s, current_database(), 'TEMPORARY')),
        ('may write chains', has_table_privilege(%(role)s, 'audit_auditlink', 'INSERT')
            OR has_table_privilege(%(role)s, 'audit_auditlink', 'UPDATE')
            OR has_table_privilege(%(role)s, 'audit_audithead', 'UPDATE'))
    ) AS found(power, held) WHERE held
"""


def grant(**kwargs: Any) -> None:
    """Give the application's role what it needs, and take away what it doesn't. By the owner, after each migration."""
    role = settings.DATABASE_APPLICATION_ROLE
    if role == settings.DATABASE_OWNER_ROLE:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_user <> %s AND to_regrole(%s) IS NOT NULL", [role, _quoted(role)])
        if cursor.fetchone() == (True,):
            _grant(cursor, role)


def _grant(cursor: CursorWrapper, role: str) -> None:
    _take_temporary_tables_away(cursor)
    cursor.execute("SELECT current_schema(), has_schema_privilege(%s, current_schema(), 'USAGE')", [role])
    ((schema, has_usage),) = cursor.fetchall()
    if not has_usage:
        cursor.execute(f"GRANT USAGE ON SCHEMA {_quoted(schema)} TO {_quoted(role)}")
    cursor.execute(DIFFERENCES, {"role": _quoted(role)})
    for name, is_sequence, privileges in cursor.fetchall():
        what = f"{'SEQUENCE' if is_sequence else 'TABLE'} {name}"
        cursor.execute(f"REVOKE ALL ON {what} FROM {_quoted(role)}")
        if privileges:
            cursor.execute(f"GRANT {', '.join(privileges)} ON {what} TO {_quoted(role)}")


def _take_temporary_tables_away(cursor: CursorWrapper) -> None:
    """One named like a table of the audit would stand before it. Everybody may make them unless told otherwise."""
    cursor.execute(
        """SELECT current_database() FROM pg_database d WHERE datname = current_database()
           AND pg_has_role(datdba, 'USAGE') AND (datacl IS NULL OR EXISTS (
               SELECT FROM aclexplode(datacl) WHERE grantee = 0 AND privilege_type = 'TEMPORARY'))"""
    )
    for (database,) in cursor.fetchall():
        cursor.execute(f"REVOKE TEMPORARY ON DATABASE {_quoted(database)} FROM PUBLIC")


def powers() -> list[str]:
    """What the application's role can do to the audit and shouldn't, in words."""
    with connection.cursor() as cursor:
        cursor.execute(POWERS, {"role": settings.DATABASE_APPLICATION_ROLE or connection.settings_dict["USER"]})
        return [power for (power,) in cursor.fetchall()]


def check_roles(app_configs: Iterable[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warns when web and worker run as the owner of the tables."""
    if settings.DATABASE_APPLICATION_ROLE != settings.DATABASE_OWNER_ROLE:
        return []
    return [
        Warning(
            "Web and worker open the database as the owner of its tables, who can change the audit.",
            hint='Make two roles and set DATABASE_OWNER_URL: "Two roles" in docs/operations.md.',
            id="audit.W001",
        )
    ]


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
