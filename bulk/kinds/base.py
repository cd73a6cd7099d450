"""What every kind of file answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from accounts.errors import AccountError, UnknownAccount
from accounts.models import Right, User
from accounts.services.lookup import find_by_identifier
from bulk.models import Import, ImportRow

NEEDED = (Right.VIEW, Right.EDIT)


class Kind(Protocol):
    """`judge` and `run` work on one batch; they set verdict or outcome of every row, and never touch another row's."""

    summary: str

    def columns(self) -> list[str]:
        """The names that a header may hold, as the template shows them."""

    def required(self) -> list[str]:
        """Those of them that it must hold."""

    def judge(self, rows: Sequence[ImportRow], actor: User) -> None:
        """Say what each row would do, or why it is refused. Reads only."""

    def settle(self, file: Import) -> None:
        """Look at all rows of the file together, when each has its verdict."""

    def run(self, rows: Sequence[ImportRow], actor: User, origin: str) -> None:
        """Do what the rows say. Each was judged before; what has changed since is found out again."""

    def listing(self, actor: User) -> Iterator[Iterable[object]]:
        """The current rows, in the columns of the template; nothing where a list makes no sense."""


def resolve(actor: User, text: str) -> User | None:
    """The account that a cell names: by id, or by any present or old identifier. Raises AmbiguousIdentifier."""
    if text.isascii() and text.isdigit() and len(text) < 19:
        found: User | None = User.objects.present().visible_to(actor).filter(pk=int(text)).first()
        if found is not None:
            return found
    return find_by_identifier(actor, text)


def lost_right(actor: User) -> str:
    """Why nobody's rows may be written in this person's name, with the remedy; empty when they may."""
    if not actor.is_active:
        return (
            "The account that uploaded this file is no longer active. Somebody who may edit users can upload it again."
        )
    missing = [right.label for right in NEEDED if not actor.has_right(right)]
    if missing:
        return f"Whoever uploaded this file doesn't have the right {missing[0]}. Ask a superadmin for it, then upload again."
    return ""


def refuse_all(rows: Sequence[ImportRow], reason: str) -> bool:
    """Refuse every row when there is a reason to; whether there was one."""
    if reason:
        for row in rows:
            row.refuse("", reason)
    return bool(reason)


def words_of(error: AccountError) -> str:
    """Why the account of a row can't be written to, with the remedy."""
    if isinstance(error, UnknownAccount):
        return "This account can't be found any more, or isn't yours to change. Ask a superadmin, or remove the row."
    return error.detail


def refuse_repeats(file: Import, key: str, column: str, words: str) -> None:
    """Refuse every row whose `key` (an SQL expression over row r) stands in an earlier line already."""
    from django.db import connection

    sql = f"""
        UPDATE bulk_importrow t SET verdict = 'refused', "column" = %s, reason = format(%s, q.first)
        FROM (SELECT id, row_number() OVER w AS place, first_value(line) OVER w AS first
              FROM bulk_importrow r WHERE import_file_id = %s AND verdict <> 'refused' AND ({key}) IS NOT NULL
              WINDOW w AS (PARTITION BY {key} ORDER BY line)) q
        WHERE t.id = q.id AND q.place > 1
    """  # noqa: S608  (keys are words of ours)
    with connection.cursor() as cursor:
        cursor.execute(sql, [column, words, file.pk])
