"""What holds at every commit, whatever happened before: each law as SQL that names the rows which break it.

Every statement yields rows of (what the row is, its id, what is wrong with it), and none where the law holds.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from audit import chain
from linking.owed import DIFFERENCES
from merging.handlers import Claim, registered


@dataclass(frozen=True)
class Law:
    """A sentence that holds, and the statements that find what breaks it."""

    number: int
    name: str
    sentence: str
    statements: Callable[[], Iterable[str]]


@dataclass(frozen=True)
class Breach:
    """One row that breaks a law."""

    law: Law
    what: str
    pk: int
    detail: str

    def __str__(self) -> str:
        return f"Law {self.law.number} ({self.law.name}): {self.what} {self.pk} {self.detail}."


def breaches(law: Law, limit: int = 20) -> Iterator[Breach]:
    """The rows that break the law, at most `limit` of each statement."""
    chain.settle()
    for statement in law.statements():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM ({statement}) AS b(what, pk, detail) ORDER BY 1, 2 LIMIT {limit:d}")  # noqa: S608 - of the laws below
            found = cursor.fetchall()
        yield from (Breach(law, *row) for row in found)


def verify(limit: int = 20) -> list[Breach]:
    """What breaks any law, on this database."""
    return list(itertools.chain.from_iterable(breaches(law, limit) for law in LAWS))


# 1

NOT_RECORDS = ("profile", "account", "links")  # their rows may be erased or change by themselves
LEDGERS = ("points", "coins", "transactions", "reward_requests")


def conservation() -> Iterator[str]:
    """Rows are neither made nor lost by a merge, and amounts aren't touched."""
    for claim in _claims(of_records=True):
        yield f"""
            SELECT '{claim.model._meta.label}', i.pk, 'is gone, though merge ' || j.merge_id || ' kept it'
            FROM merging_journalentry j CROSS JOIN unnest(j.ids) AS i(pk)
            WHERE j.model = '{claim.model._meta.label}' AND j.kind IN ('move', 'change', 'stay')
              AND NOT EXISTS (SELECT FROM {_table(claim)} t WHERE t.id = i.pk)"""  # noqa: S608 - names of our own models
    yield f"""
        SELECT 'merge', merge_id::bigint, 'changes more than the owner in ' || section FROM merging_journalentry
        WHERE section IN {LEDGERS} AND (kind = 'add' OR before - 'user_id' <> '{{}}' OR after - 'user_id' <> '{{}}')
    """  # noqa: S608
    yield """
        SELECT 'merge', m.id, 'counts ' || c.rows || ' ' || c.outcome || ' in ' || s.section || ', its journal '
               || coalesce(j.rows, 0)
        FROM merging_merge m
        CROSS JOIN LATERAL jsonb_each(m.counts) AS s(section, outcomes)
        CROSS JOIN LATERAL jsonb_each_text(s.outcomes) AS c(outcome, rows)
        LEFT JOIN (SELECT merge_id, section, outcome, sum(cardinality(ids)) AS rows
                   FROM merging_journalentry GROUP BY merge_id, section, outcome) j
            ON (j.merge_id, j.section, j.outcome) = (m.id, s.section, c.outcome)
        WHERE m.status IN ('done', 'undone') AND coalesce(j.rows, 0) <> c.rows::bigint
    """


# 2

ONE_EACH = (
    ("learning_records_enrollment", "course_id", "NOT is_historical", "current enrollments"),
    ("learning_records_certificate", "course_id", "NOT is_superseded", "certificates"),
    ("learning_records_competencyaward", "competency", "NOT is_superseded", "competencies"),
    ("learning_records_certificationaward", "certification_id", "is_active", "active certifications"),
    ("rewards_badgeaward", "badge_id", "NOT is_superseded", "badges"),
    ("commerce_subscription", "plan_id", "status = 'active'", "seats"),
)


def one_each() -> Iterator[str]:
    for table, thing, condition, name in ONE_EACH:
        yield f"""
            SELECT 'account', user_id, 'has ' || count(*) || ' {name} of one thing: ' || {thing}
            FROM {table} WHERE {condition} GROUP BY user_id, {thing} HAVING count(*) > 1
        """  # noqa: S608 - constants


# 3


def nothing_left_behind() -> Iterator[str]:
    """A row that was there when its owner was merged has moved, or the merge's journal tells that it kept its owner."""
    for claim in _claims():
        column = _column(claim)
        yield f"""
            SELECT '{claim.model._meta.label}', t.id, 'still points at account ' || m.source_id || ', merged by ' || m.id
            FROM merging_merge m JOIN {_table(claim)} t ON t.{column} = m.source_id AND t.created_at < m.requested_at
            WHERE m.status = 'done' AND NOT EXISTS (
                SELECT FROM merging_journalentry j
                WHERE j.merge_id = m.id AND j.model = '{claim.model._meta.label}' AND t.id = ANY(j.ids)
                  AND coalesce(j.after ->> '{claim.attname}', m.source_id::text) = m.source_id::text)
        """  # noqa: S608 - names of our own models


# 4


def merges_end() -> Iterator[str]:
    yield """
        WITH RECURSIVE walk AS (
            SELECT id AS start, merged_into_id AS at FROM accounts_user WHERE merged_into_id IS NOT NULL
            UNION
            SELECT w.start, u.merged_into_id FROM walk w JOIN accounts_user u ON u.id = w.at
            WHERE u.merged_into_id IS NOT NULL)
        SELECT 'account', start, 'was merged in a circle' FROM walk WHERE at = start
    """
    yield """
        SELECT 'account', source_id, 'has ' || count(*) || ' live merges' FROM merging_merge
        WHERE status = 'done' AND follows_id IS NULL GROUP BY source_id HAVING count(*) > 1
    """
    yield """
        SELECT 'merge', m.id, 'follows merge ' || f.id || ' of another account, or one that was undone'
        FROM merging_merge m JOIN merging_merge f ON f.id = m.follows_id
        WHERE m.status = 'done' AND (f.source_id <> m.source_id OR f.status <> 'done')
    """
    yield """
        SELECT 'account', u.id, 'doesn''t say into which account it was merged' FROM accounts_user u
        LEFT JOIN merging_merge m ON m.source_id = u.id AND m.status = 'done' AND m.follows_id IS NULL
        WHERE u.merged_into_id IS DISTINCT FROM m.destination_id
    """


# 5


def groups_are_classes() -> Iterator[str]:
    yield """
        SELECT 'account', user_id, 'is in ' || count(*) || ' link groups' FROM linking_membership
        WHERE group_id IS NOT NULL GROUP BY user_id HAVING count(*) > 1
    """
    yield """
        SELECT 'link group', group_id, 'has one member only' FROM linking_membership
        WHERE group_id IS NOT NULL GROUP BY group_id HAVING count(*) = 1
    """
    yield "SELECT 'link', id, 'joins an account to itself' FROM linking_link WHERE account_id = other_id"
    yield """
        SELECT 'pair', p.id, 'isn''t there the other way round' FROM linking_pair p
        WHERE p.account_id = p.counterpart_id OR NOT EXISTS (
            SELECT FROM linking_pair q WHERE (q.account_id, q.counterpart_id) = (p.counterpart_id, p.account_id))
    """


# 6


def equivalencies_are_the_owed() -> Iterator[str]:
    """While work is queued, what is missing or not yet followed is no breach."""
    yield f"""
        SELECT 'learning record', d.record, 'is ' || d.kind || ' as equivalency for account ' || d.account
        FROM ({DIFFERENCES}) AS d(kind, record, account)
        WHERE d.kind = 'surplus' OR NOT EXISTS (SELECT FROM learning_records_pendingrecord)
          AND NOT EXISTS (SELECT FROM linking_pair WHERE finished_at IS NULL)
    """  # noqa: S608 - a constant
    yield """
        SELECT 'learning record', id, 'is an equivalency of an equivalency' FROM learning_records_learningrecord e
        WHERE EXISTS (SELECT FROM learning_records_learningrecord r
                      WHERE r.id = e.equivalent_of_id AND r.origin <> 'earned')
    """


# 7


def undone_is_as_before() -> Iterator[str]:
    """Rows that an undone merge had moved are back, unless a later merge moved them; what it had added is gone."""
    for claim in _claims():
        label, column, owner = claim.model._meta.label, _column(claim), claim.attname
        yield f"""
            SELECT '{label}', t.id, 'is still where merge ' || m.id || ' had moved it, which was undone'
            FROM merging_merge m JOIN merging_journalentry j ON j.merge_id = m.id CROSS JOIN unnest(j.ids) AS i(pk)
            JOIN {_table(claim)} t ON t.id = i.pk AND t.{column}::text = j.after ->> '{owner}'
            WHERE m.status = 'undone' AND j.model = '{label}' AND j.before ->> '{owner}' <> j.after ->> '{owner}'
              AND NOT EXISTS (
                SELECT FROM merging_merge n JOIN merging_journalentry k ON k.merge_id = n.id
                WHERE n.id > m.id AND n.status = 'done' AND k.model = j.model AND i.pk = ANY(k.ids)
                  AND k.after ->> '{owner}' = j.after ->> '{owner}')
        """  # noqa: S608 - names of our own models
        yield f"""
            SELECT '{label}', t.id, 'was added by merge ' || m.id || ', which was undone'
            FROM merging_merge m JOIN merging_journalentry j ON j.merge_id = m.id JOIN {_table(claim)} t ON t.id = ANY(j.ids)
            WHERE m.status = 'undone' AND j.kind = 'add' AND j.model = '{label}'
        """  # noqa: S608


# 8


def everything_is_audited() -> Iterator[str]:
    for status, action in (("IN ('done', 'undone')", "merge.done"), ("= 'undone'", "merge.undone")):
        yield f"""
            SELECT 'merge', m.id, 'has no audit entry {action}' FROM merging_merge m
            WHERE m.status {status} AND NOT EXISTS (
                SELECT FROM audit_auditentry a
                WHERE a.subject_id = m.source_id AND a.action = '{action}' AND a.detail ->> 'merge' = m.id::text)
        """  # noqa: S608 - constants
    yield """
        SELECT 'table', 0, 'audit_auditentry isn''t append-only'
        WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'audit_auditentry'::regclass
                          AND tgname LIKE 'pgtrigger_append_only%' AND tgenabled <> 'D')
    """
    yield """
        SELECT 'table', 0, 'audit_auditentry isn''t chained'
        WHERE 2 <> (SELECT count(*) FROM pg_trigger WHERE tgname IN ('audit_note', 'audit_chain') AND tgenabled <> 'D'
                    AND tgrelid IN ('audit_auditentry'::regclass, 'audit_pending'::regclass))
    """
    yield chain.FAULTS


def _claims(*, of_records: bool = False) -> list[Claim]:
    handlers = [h for h in registered() if not (of_records and h.section in NOT_RECORDS)]
    return [claim for handler in handlers for claim in handler.claims]


def _table(claim: Claim) -> str:
    return f'"{claim.model._meta.db_table}"'


def _column(claim: Claim) -> str:
    field: Any = claim.model._meta.get_field(claim.column)
    return f'"{field.column}"'


LAWS = (
    Law(1, "conservation", "A merge neither makes nor loses rows, points, coins or money.", conservation),
    Law(2, "one each", "At most one current record per account and thing.", one_each),
    Law(3, "nothing left behind", "What a merged account keeps, its merge listed.", nothing_left_behind),
    Law(4, "merges end", "No circle of merges; a source has at most one live merge.", merges_end),
    Law(5, "link groups", "Link groups are equivalence classes.", groups_are_classes),
    Law(6, "equivalencies", "Equivalencies are those that are owed, once each.", equivalencies_are_the_owed),
    Law(7, "undo", "An undone merge leaves both accounts as they were.", undone_is_as_before),
    Law(8, "audit", "Every merge and undo has its audit entry, for good.", everything_is_audited),
)
